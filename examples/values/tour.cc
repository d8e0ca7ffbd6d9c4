// tour.cc - all that a value can do, without a node. docs/guide/values.md explains it.
#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "tarn/value.h"

namespace {

// Says what was expected, and fails the program, when it is not so.
void expect(bool so, const char* what) {
  if (so) return;
  std::cerr << "tour: not so: " << what << '\n';
  std::exit(1);
}

tarn::Value build() {
  tarn::Value packet;
  packet["sequence"] = 17;
  packet["station"]["name"] = "north";  // a table appears where a key is asked for
  packet["station"]["height_m"] = 412.5;
  packet["tags"].append("raw");  // and a list where something is appended
  packet["tags"].append("channel 3");
  packet["phase"] = std::complex<double>(0.5, -1.0);
  packet["comment"] = nullptr;  // none
  packet["limits"].make_tuple();
  packet["limits"].append(-1.0);
  packet["limits"].append(1.0);
  packet["by_channel"].entry_of_number(3) = "left";  // keys need not be text
  const std::array<std::byte, 2> mark{std::byte{0xCA}, std::byte{0xFE}};
  packet["mark"].set_bytes(mark);
  return packet;
}

void fill_arrays(tarn::Value& packet) {
  std::span<float> bins = packet["bins"].array<float>(4096);
  std::iota(bins.begin(), bins.end(), 0.0f);
  // Two rows of three, in C order.
  std::span<std::uint16_t> image = packet["image"].array<std::uint16_t>({2, 3});
  std::ranges::fill(image, std::uint16_t{7});
  // Again, without making it anew: the elements that are there.
  for (float& bin : packet["bins"].elements<float>()) bin *= 2;
}

void read(const tarn::ValueView& value) {
  const std::int64_t sequence = value["sequence"].as<std::int64_t>();
  const std::string_view name = value["station"]["name"].text();
  const std::span<const float> bins = value["bins"].array<float>();
  expect(sequence == 17 && name == "north" && bins[2] == 4.0f, "what was built is read");

  // Without exceptions: find() says whether there is one, try_as() whether it is such a number.
  const auto height = value["station"].find("height_m");
  expect(height && height->try_as<double>() == 412.5, "the height");
  expect(!value.find("no such key"), "a missing key");
  const int channel = value["station"]["name"].as_or<int>(-1);  // text is no number
  expect(channel == -1, "a default");

  for (const auto [key, entry] : value["station"].entries()) {
    std::cout << key.text() << " is " << name_of(entry.type()) << '\n';
  }
  for (const tarn::ValueView tag : value["tags"].elements()) std::cout << tag.text() << '\n';
  expect(value["image"].shape() == std::vector<std::size_t>{2, 3}, "the shape");
}

void convert() {
  tarn::Value value;
  value["three"] = 3.0;
  value["large"] = 300;
  value["third"] = 1.0 / 3;
  expect(value.view()["three"].as<int>() == 3, "3.0 is 3");
  expect(!value.view()["large"].try_as<std::uint8_t>(), "300 is no uint8");
  expect(!value.view()["third"].try_as<float>(), "a third is no float exactly");
  const float near = value.view()["third"].rounded<float>();
  expect(near > 0.333f && near < 0.334f, "but there is one near");
}

void edit_and_copy(const tarn::Value& packet) {
  tarn::Value copy = packet.copy();
  expect(copy.view() == packet.view(), "a copy is equal");
  copy["station"].remove("height_m");
  copy["tags"].remove_at(0);
  copy["station"]["name"] = "south";
  expect(copy.view() != packet.view(), "and its own");
  expect(packet.view()["tags"].size() == 2, "the original is as it was");
  copy["first"] = packet["tags"];  // deep, from another value
  copy.compact();                  // what was replaced leaves bytes that nothing uses
  expect(copy.dead_bytes() == 0, "compact");
}

void keep(const tarn::Value& packet) {
  // The bytes are the value: write them to a file, send them, read them back.
  const std::span<const std::byte> bytes = packet.bytes();
  const tarn::Value again = tarn::Value::from_bytes(bytes);  // copied, and checked whole
  expect(again.view() == packet.view(), "the same value");
}

void refuse(const tarn::Value& packet) {
  try {
    packet.view()["station"]["name"].as<int>();
    expect(false, "text is no number");
  } catch (const tarn::Error& error) {
    expect(error.code() == tarn::Error::wrong_type, "the code says why");
    std::cout << error.what() << '\n';  // what was tried, on what, and what to do
  }
}

}  // namespace

int main() {
  tarn::Value packet = build();
  fill_arrays(packet);
  read(packet.view());
  convert();
  edit_and_copy(packet);
  keep(packet);
  refuse(packet);
}
