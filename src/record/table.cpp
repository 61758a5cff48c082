// SPDX-License-Identifier: Apache-2.0
#include "record/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "record/human.hpp"

namespace tapio {

namespace {

constexpr std::size_t kGap = 2;
constexpr std::string_view kUnknown = "-";
constexpr std::string_view kPid = "process.pid";
constexpr std::string_view kProcessName = "process.executable.name";

constexpr std::size_t kTimeWidth = 12;  // 02:03:04.567
constexpr std::size_t kIdWidth = 14;    // 673e9a10.12345
constexpr std::size_t kNameWidth = 16, kMaxNameWidth = 24;
constexpr std::size_t kPidWidth = 7;       // PID_MAX_LIMIT is 4194304
constexpr std::size_t kProcessWidth = 15;  // TASK_COMM_LEN less the NUL

bool is_number(Type type) {
  return type == Type::i64 || type == Type::u64 || type == Type::f64 || type == Type::duration;
}

std::size_t width_of(const Field& field) {
  if (field.name == kProcessName) return kProcessWidth;
  switch (field.type) {
    case Type::boolean:
      return 5;
    case Type::i64:
    case Type::u64:
      return field.unit == "By" ? 9 : kPidWidth;
    case Type::f64:
    case Type::duration:
      return 8;
    case Type::time:
      return kTimeWidth;
    case Type::text:
      return 16;
    case Type::texts:
      return 32;
  }
  return 16;
}

// As the longest name wants, unless it is a rare one that would take the room from all lines.
std::size_t width_of_names(std::span<const Schema* const> schemas) {
  std::size_t width = kNameWidth;
  for (const Schema* schema : schemas)
    if (schema->name.size() <= kMaxNameWidth) width = std::max(width, schema->name.size());
  return width;
}

std::string_view head_of(const Field& field) {
  return field.column.empty() ? field.name : field.column;
}

std::uint64_t pid_of(const Record& record) {
  const Value* value = value_of(record, kPid);
  const auto* declared = value ? std::get_if<std::uint64_t>(value) : nullptr;
  return declared ? *declared : record.origin.pid;
}

std::string_view process_of(const Record& record) {
  const Value* value = value_of(record, kProcessName);
  if (const auto* declared = value ? std::get_if<std::string_view>(value) : nullptr)
    return *declared;
  return record.context ? record.context->process_name : std::string_view();
}

void append_key(std::string& out, const Field& field) {
  for (const char c : head_of(field))
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Puts cells on a line where their columns start, or as near behind it as there is room.
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}

  void put(std::string_view cell, std::size_t start, std::size_t width, bool right) {
    const std::size_t taken = columns(cell);
    const std::size_t wanted = right && taken < width ? start + width - taken : start;
    const std::size_t least = at_ == 0 ? 0 : at_ + kGap;
    const std::size_t from = std::max(wanted, least);
    out_.append(from - at_, ' ').append(cell);
    at_ = from + taken;
  }

 private:
  std::string& out_;
  std::size_t at_ = 0;  // columns written
};

}  // namespace

Table::Table(std::span<const Schema* const> schemas, Detail detail, std::size_t terminal_columns)
    : schemas_(schemas.begin(), schemas.end()),
      detail_(detail),
      cut_(detail == Detail::narrow ? terminal_columns : 0) {
  const bool single = schemas.size() == 1;
  add({Source::time, "TIME", kTimeWidth, Align::left});
  if (detail == Detail::wide) add({Source::id, "ID", kIdWidth, Align::left});
  if (!single) add({Source::name, "NAME", width_of_names(schemas), Align::left});
  if (!single || (schemas[0]->kind == Kind::event && !has_field(kPid)))
    add({Source::pid, "PID", kPidWidth, Align::right});
  if (!single || (schemas[0]->kind == Kind::event && !has_field(kProcessName)))
    add({Source::process, "PROCESS", kProcessWidth, Align::left});
  if (!single) add({Source::details, "DETAILS", 0, Align::left});
  for (std::size_t i = 0; single && i < schemas[0]->fields.size(); ++i)
    if (in_detail(schemas[0]->fields[i])) add_field(i);
}

void Table::add(Column column) {
  column.width = std::max(column.width, columns(column.head));
  column.start = columns_.empty() ? 0 : columns_.back().start + columns_.back().width + kGap;
  columns_.push_back(std::move(column));
}

void Table::add_field(std::size_t index) {
  const Field& field = schemas_[0]->fields[index];
  add({.source = Source::field,
       .head = std::string(head_of(field)),
       .width = width_of(field),
       .align = is_number(field.type) ? Align::right : Align::left,
       .field = index});
}

bool Table::in_detail(const Field& field) const {
  return detail_ == Detail::wide || !field.column.empty();
}

// Of the only schema, as a column.
bool Table::has_field(std::string_view name) const {
  const auto is_it = [&](const Field& field) { return field.name == name && in_detail(field); };
  return std::ranges::any_of(schemas_[0]->fields, is_it);
}

bool Table::is_foreign(const Schema& schema) const {
  return std::ranges::find(schemas_, &schema) == schemas_.end();
}

std::string Table::header() const {
  std::string out;
  Line line(out);
  for (const Column& column : columns_)
    line.put(column.head, column.start, column.width, column.align == Align::right);
  finish(out, 0);
  return out;
}

void Table::append_row(std::string& out, const Record& record, const Clocks& clocks) {
  const std::size_t begin = out.size();
  if (schemas_.size() == 1 && is_foreign(*record.schema)) {
    append_human_time(out, wall_time(record.origin.time, clocks));
    cell_.clear();
    fill_details(record, clocks);
    out.append(kGap, ' ').append(record.schema->name).append(": ").append(cell_);
  } else {
    Line line(out);
    for (const Column& column : columns_) {
      cell_.clear();
      fill(column, record, clocks);
      line.put(cell_, column.start, column.width, column.align == Align::right);
    }
  }
  finish(out, begin);
}

void Table::fill(const Column& column, const Record& record, const Clocks& clocks) {
  switch (column.source) {
    case Source::time:
      return append_human_time(cell_, wall_time(record.origin.time, clocks));
    case Source::id:
      cell_ += record.id.text();
      return;
    case Source::name:
      return append_printable(cell_, record.schema->name);
    case Source::pid:
      if (const auto pid = pid_of(record); pid != 0)
        fmt::format_to(std::back_inserter(cell_), "{}", pid);
      else
        cell_ += kUnknown;
      return;
    case Source::process:
      append_printable(cell_, process_of(record));
      if (cell_.empty()) cell_ += kUnknown;
      return;
    case Source::field:
      return fill_value(record.schema->fields[column.field], record.values[column.field], clocks);
    case Source::details:
      return fill_details(record, clocks);
  }
}

void Table::fill_value(const Field& field, const Value& value, const Clocks& clocks) {
  const bool is_bytes = field.unit == "By";
  if (const auto* text = std::get_if<std::string_view>(&value))
    append_printable(cell_, *text);
  else if (const auto* words = std::get_if<std::span<const std::string_view>>(&value))
    fill_words(*words);
  else if (const auto* truth = std::get_if<bool>(&value))
    cell_ += *truth ? "true" : "false";
  else if (const auto* i64 = std::get_if<std::int64_t>(&value))
    fmt::format_to(std::back_inserter(cell_), "{}", *i64);
  else if (const auto* f64 = std::get_if<double>(&value))
    fmt::format_to(std::back_inserter(cell_), "{:.6g}", *f64);
  else if (const auto* u64 = std::get_if<std::uint64_t>(&value))
    is_bytes ? append_human_bytes(cell_, *u64)
             : void(fmt::format_to(std::back_inserter(cell_), "{}", *u64));
  else if (const auto* ns = std::get_if<std::chrono::nanoseconds>(&value))
    field.type == Type::time ? append_human_time(cell_, wall_time(*ns, clocks))
                             : append_human(cell_, *ns);
  else
    cell_ += kUnknown;
}

void Table::fill_words(std::span<const std::string_view> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    word_.clear();
    append_shell_word(word_, words[i]);
    if (i > 0) cell_ += ' ';
    append_printable(cell_, word_);
  }
}

void Table::fill_details(const Record& record, const Clocks& clocks) {
  const bool foreign = is_foreign(*record.schema);
  const std::size_t begin = cell_.size();
  for (std::size_t i = 0; i < record.schema->fields.size(); ++i) {
    const Field& field = record.schema->fields[i];
    const Value& value = record.values[i];
    if (!foreign && (!in_detail(field) || field.name == kPid || field.name == kProcessName))
      continue;
    if (std::holds_alternative<std::monostate>(value)) continue;
    if (cell_.size() > begin) cell_ += ' ';
    append_key(cell_, field);
    cell_ += '=';
    if (const auto* text = std::get_if<std::string_view>(&value))
      fill_words(std::span(text, 1));
    else
      fill_value(field, value, clocks);
  }
}

// Without spaces at its end, and cut to the terminal.
void Table::finish(std::string& out, std::size_t begin) const {
  while (out.size() > begin && out.back() == ' ') out.pop_back();
  const std::string_view line = std::string_view(out).substr(begin);
  if (cut_ == 0 || columns(line) <= cut_) return;
  out.replace(begin, std::string::npos, cut(line, cut_));
}

}  // namespace tapio
