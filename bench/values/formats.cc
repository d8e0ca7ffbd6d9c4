// formats.cc - the record in other formats, each as its users write it.
#include <cstring>
#include <nlohmann/json.hpp>

#include "bench/values/record.h"

#if __has_include(<msgpack.hpp>)
#define MSGPACK_NO_BOOST
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <msgpack.hpp>
#pragma GCC diagnostic pop
#define TARN_HAS_MSGPACK 1
#endif

#if TARN_HAS_FLEXBUFFERS
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <flatbuffers/flexbuffers.h>
#pragma GCC diagnostic pop
#endif

#if TARN_HAS_PROTOBUF
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include "record.pb.h"
#pragma GCC diagnostic pop
#endif

namespace tarn::bench {
namespace {

using Room = std::function<std::byte*(std::size_t)>;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Format json() {
  return {"nlohmann-json",
          [](const Record& record, std::int64_t sequence, const Room& room) {
            nlohmann::json json;
            for (std::size_t i = 0; i < kTextKeys; ++i) json[record.text_keys[i]] = record.texts[i];
            for (std::size_t i = 0; i < kNumberKeys; ++i) {
              json[record.number_keys[i]] = record.numbers[i];
            }
            json["nested"]["sequence"] = sequence;
            json["nested"]["name"] = "north";
            json["samples"] = record.samples;
            const std::string text = json.dump();
            std::memcpy(room(text.size()), text.data(), text.size());
          },
          [](std::span<const std::byte> bytes) {
            const auto json = nlohmann::json::parse(text_of(bytes));
            const auto& samples = json["samples"];
            return Taken{json["number_7"], json["nested"]["sequence"],
                         json["text_3"].get_ref<const std::string&>().size(), samples.front(),
                         samples.back()};
          }};
}

#if TARN_HAS_MSGPACK
Format message_pack() {
  return {"msgpack-cxx",
          [](const Record& record, std::int64_t sequence, const Room& room) {
            msgpack::sbuffer buffer;
            msgpack::packer<msgpack::sbuffer> packer(buffer);
            packer.pack_map(kTextKeys + kNumberKeys + 2);
            for (std::size_t i = 0; i < kTextKeys; ++i) {
              packer.pack(record.text_keys[i]);
              packer.pack(record.texts[i]);
            }
            for (std::size_t i = 0; i < kNumberKeys; ++i) {
              packer.pack(record.number_keys[i]);
              packer.pack(record.numbers[i]);
            }
            packer.pack("nested");
            packer.pack_map(2);
            packer.pack("sequence");
            packer.pack(sequence);
            packer.pack("name");
            packer.pack("north");
            packer.pack("samples");
            packer.pack(record.samples);
            std::memcpy(room(buffer.size()), buffer.data(), buffer.size());
          },
          [](std::span<const std::byte> bytes) {
            const auto text = text_of(bytes);
            const auto handle = msgpack::unpack(text.data(), text.size());
            Taken taken;
            const auto& map = handle.get().via.map;
            for (std::uint32_t i = 0; i < map.size; ++i) {
              const auto& entry = map.ptr[i];
              const std::string_view key(entry.key.via.str.ptr, entry.key.via.str.size);
              if (key == "number_7") taken.number = entry.val.as<double>();
              if (key == "text_3") taken.text_bytes = entry.val.via.str.size;
              if (key == "nested") taken.nested = entry.val.via.map.ptr[0].val.as<std::int64_t>();
              if (key == "samples") {
                const auto& array = entry.val.via.array;
                taken.first = array.ptr[0].as<double>();
                taken.last = array.ptr[array.size - 1].as<double>();
              }
            }
            return taken;
          }};
}
#endif

#if TARN_HAS_FLEXBUFFERS
Format flexbuffers_format() {
  return {"FlexBuffers",
          [](const Record& record, std::int64_t sequence, const Room& room) {
            flexbuffers::Builder builder;
            builder.Map([&] {
              for (std::size_t i = 0; i < kTextKeys; ++i) {
                builder.String(record.text_keys[i].c_str(), record.texts[i].c_str());
              }
              for (std::size_t i = 0; i < kNumberKeys; ++i) {
                builder.Double(record.number_keys[i].c_str(), record.numbers[i]);
              }
              builder.Map("nested", [&] {
                builder.Int("sequence", sequence);
                builder.String("name", "north");
              });
              builder.Vector("samples", record.samples.data(), record.samples.size());
            });
            builder.Finish();
            const auto& buffer = builder.GetBuffer();
            std::memcpy(room(buffer.size()), buffer.data(), buffer.size());
          },
          [](std::span<const std::byte> bytes) {
            const auto map = flexbuffers::GetRoot(
                                 reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())
                                 .AsMap();
            const auto samples = map["samples"].AsTypedVector();
            return Taken{map["number_7"].AsDouble(), map["nested"].AsMap()["sequence"].AsInt64(),
                         map["text_3"].AsString().length(), samples[0].AsDouble(),
                         samples[samples.size() - 1].AsDouble()};
          }};
}
#endif

#if TARN_HAS_PROTOBUF
// Its fields are known when it is compiled: a record of any keys would be a map<string, Value>.
Format protobuf() {
  return {"protobuf",
          [](const Record& record, std::int64_t sequence, const Room& room) {
            wire::Record message;
            for (std::size_t i = 0; i < kTextKeys; ++i) {
              (*message.mutable_fields())[record.text_keys[i]].set_text(record.texts[i]);
            }
            for (std::size_t i = 0; i < kNumberKeys; ++i) {
              (*message.mutable_fields())[record.number_keys[i]].set_number(record.numbers[i]);
            }
            auto& nested = *(*message.mutable_fields())["nested"].mutable_table()->mutable_fields();
            nested["sequence"].set_integer(sequence);
            nested["name"].set_text("north");
            auto& samples = *(*message.mutable_fields())["samples"].mutable_doubles();
            samples.mutable_numbers()->Add(record.samples.begin(), record.samples.end());
            const std::size_t size = message.ByteSizeLong();
            message.SerializeToArray(room(size), static_cast<int>(size));
          },
          [](std::span<const std::byte> bytes) {
            wire::Record message;
            message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
            const auto& fields = message.fields();
            const auto& samples = fields.at("samples").doubles().numbers();
            return Taken{fields.at("number_7").number(),
                         fields.at("nested").table().fields().at("sequence").integer(),
                         fields.at("text_3").text().size(), samples[0],
                         samples[samples.size() - 1]};
          }};
}

// The same with fields that are known when it is compiled, which needs a schema at both ends.
Format protobuf_schema() {
  return {"protobuf, fixed schema",
          [](const Record& record, std::int64_t sequence, const Room& room) {
            wire::Fixed message;
            for (const std::string& text : record.texts) message.add_texts(text);
            for (const double number : record.numbers) message.add_numbers(number);
            message.mutable_nested()->set_sequence(sequence);
            message.mutable_nested()->set_name("north");
            message.mutable_samples()->Add(record.samples.begin(), record.samples.end());
            const std::size_t size = message.ByteSizeLong();
            message.SerializeToArray(room(size), static_cast<int>(size));
          },
          [](std::span<const std::byte> bytes) {
            wire::Fixed message;
            message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
            return Taken{message.numbers(7), message.nested().sequence(), message.texts(3).size(),
                         message.samples(0), message.samples(message.samples_size() - 1)};
          }};
}
#endif

}  // namespace

std::vector<Format> other_formats() {
  std::vector<Format> formats{json()};
#if TARN_HAS_MSGPACK
  formats.push_back(message_pack());
#endif
#if TARN_HAS_FLEXBUFFERS
  formats.push_back(flexbuffers_format());
#endif
#if TARN_HAS_PROTOBUF
  formats.push_back(protobuf());
  formats.push_back(protobuf_schema());
#endif
  return formats;
}

}  // namespace tarn::bench
