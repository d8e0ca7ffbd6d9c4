#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "borders/emit/emitter.h"
#include "borders/emit/json_text.h"
#include "borders/whole_number.h"

namespace tarn::borders {
namespace {

class JsonEmitter final : public Emitter {
 public:
  JsonEmitter(Sink& sink, WriteOptions options) : sink_(sink), options_(options) {}

  void none() override { put("null"); }
  void boolean(bool value) override { put(value ? "true" : "false"); }
  void integer(std::int64_t value) override { put_number(value); }
  void unsigned_integer(std::uint64_t value) override { put_number(value); }
  // The shortest text that reads back as the same float is not the same number as a double.
  void float32(float value) override {
    if (options_.lossless) return put_real(static_cast<double>(value));
    put_real(value);
  }
  void float64(double value) override { put_real(value); }
  void text(std::string_view value) override { put(json_quoted(value)); }
  bool big_integer(const BigIntegerView& number) override {
    if (!is_short(number)) return false;
    put(text_of(number));
    return true;
  }
  bool takes_any_float() const override { return false; }

  void begin_list(std::uint64_t, bool flat) override { open('[', flat); }
  void end_list() override { close(']'); }
  void begin_table(std::uint64_t) override { open('{', false); }
  void end_table() override { close('}'); }
  void key(std::string_view text) override {
    begin_item();
    sink_.put(json_quoted(text));
    sink_.put(options_.pretty ? ": " : ":");
    after_key_ = true;
  }

 private:
  struct Level {
    bool flat;
    bool empty = true;
  };

  void put(std::string_view item) {
    begin_item();
    sink_.put(item);
  }
  template <class T>
  void put_number(T value) {
    std::array<char, 24> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    put({text.data(), static_cast<std::size_t>(end - text.data())});
  }
  // The shortest text that reads back as the same number, and as a floating-point one.
  template <class T>
  void put_real(T value) {
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    std::string item(text.data(), end);
    if (item.find_first_not_of("-0123456789") == std::string::npos) item += ".0";
    put(item);
  }
  void open(char bracket, bool flat) {
    begin_item();
    sink_.put(bracket);
    levels_.push_back({flat});
  }
  void close(char bracket) {
    const Level level = levels_.back();
    levels_.pop_back();
    if (!level.empty && !level.flat) new_line();
    sink_.put(bracket);
  }
  void begin_item() {
    if (std::exchange(after_key_, false) || levels_.empty()) return;
    Level& level = levels_.back();
    if (!level.empty) sink_.put(level.flat && options_.pretty ? ", " : ",");
    level.empty = false;
    if (!level.flat) new_line();
  }
  void new_line() {
    if (!options_.pretty) return;
    sink_.put('\n');
    for (std::size_t i = 0; i < levels_.size(); ++i) sink_.put("  ");
  }

  Sink& sink_;
  WriteOptions options_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace

std::unique_ptr<Emitter> json_emitter(Sink& sink, WriteOptions options) {
  return std::make_unique<JsonEmitter>(sink, options);
}

}  // namespace tarn::borders
