// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/out.hpp"
#include "cli/record_words.hpp"
#include "cli/store.hpp"

namespace tapio::cli {

namespace {

using store::Cell;

constexpr std::uint64_t kDefaultRows = 1000;
// A cell of a table for people; the other formats have all of it.
constexpr std::size_t kMaxColumns = 120;

std::string plain(const Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  const auto* text = std::get_if<std::string>(&cell);
  return text ? *text : "";
}

void append_json(std::string& out, const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return append_json_string(out, *text);
  const std::string number = plain(cell);
  const bool is_number = !number.empty() && number.find_first_of("in") == std::string::npos;
  out += is_number ? number : "null";  // inf and nan have no JSON
}

void append_json(std::string& out, const store::Rows& rows, const std::vector<Cell>& row) {
  out += '{';
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, rows.columns[i]);
    out += ':';
    append_json(out, row[i]);
  }
  out += '}';
}

std::string json_of(const store::Rows& rows) {
  std::string out = "[";
  for (const auto& row : rows.rows) {
    out += out.size() > 1 ? ",\n " : "";
    append_json(out, rows, row);
  }
  return out + "]\n";
}

std::string lines_of(const store::Rows& rows) {
  std::string out;
  for (const auto& row : rows.rows) {
    append_json(out, rows, row);
    out += '\n';
  }
  return out;
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

// RFC 4180. What would steer a terminal is written as in tables.
std::string csv_of(const store::Rows& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.columns.size(); ++i)
    append_csv(i > 0 ? out += ',' : out, printable(rows.columns[i]));
  for (const auto& row : rows.rows) {
    out += "\r\n";
    for (std::size_t i = 0; i < row.size(); ++i)
      append_csv(i > 0 ? out += ',' : out, printable(plain(row[i])));
  }
  return out + "\r\n";
}

std::string table_of(const store::Rows& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : rows.columns) lines[0].push_back(printable(column));
  for (const auto& row : rows.rows) {
    auto& line = lines.emplace_back();
    for (const Cell& cell : row) line.push_back(shortened(printable(plain(cell)), kMaxColumns));
  }
  std::vector<std::size_t> widths(rows.columns.size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], columns(line[i]));
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out += line[i];
      if (i + 1 < line.size()) out.append(widths[i] - columns(line[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string text_of(const store::Rows& rows, Rows format) {
  switch (format) {
    case Rows::table:
      return table_of(rows);
    case Rows::json:
      return json_of(rows);
    case Rows::lines:
      return lines_of(rows);
    case Rows::csv:
      return csv_of(rows);
  }
  return {};
}

Status ask(const store::Reader& reader, const Arguments& arguments) {
  const Interruptible interruptible;
  const store::Limits limits{.time = arguments.timeout,
                             .rows = arguments.max.value_or(kDefaultRows),
                             .cancelled = &Interruptible::interrupted};
  const auto rows = TRY(reader.query(arguments.sql, {}, limits));
  Out out(STDOUT_FILENO);
  out.add(text_of(rows, arguments.rows));
  TRY(out.write());
  if (rows.cut)
    note(fmt::format("there are more than these {} rows; --max N shows more", rows.rows.size()));
  return {};
}

// The records themselves; for people one line each, in the order of the ids.
Status show_records(const store::Reader& reader, const Arguments& arguments) {
  std::string out;
  std::string missing;
  store::Rows found{.columns = {"body"}, .rows = {}};
  for (const std::string& id : arguments.ids) {
    const Cell parameters[] = {id};
    auto rows = TRY(reader.query("SELECT body FROM records WHERE id = ?", parameters, {}));
    if (rows.rows.empty()) missing += " " + id;
    for (auto& row : rows.rows) found.rows.push_back(std::move(row));
  }
  for (const auto& row : found.rows) {
    const std::string body = plain(row.front());
    const auto json = serve::parse_json(body);
    const bool first = out.empty();
    if (arguments.rows == Rows::json) out += (first ? "[" : ",\n ") + body;
    if (arguments.rows == Rows::lines) out += body + "\n";
    if (arguments.rows == Rows::table && json) out += record_line(*json) + "\n";
  }
  if (arguments.rows == Rows::json) out += out.empty() ? "[]\n" : "]\n";
  if (arguments.rows == Rows::csv) out = csv_of(found);
  Out written(STDOUT_FILENO);
  written.add(out);
  TRY(written.write());
  if (missing.empty()) return {};
  return fail(Fault::unavailable,
              fmt::format("not in the store:{}; it was never kept, or is too old", missing));
}

std::string tables_text(const std::vector<store::TableHelp>& tables) {
  std::string out =
      "Views have id, time and time_ns, who acted (\"process.pid\", \"process.executable.name\", "
      "...),\nand a column for each field of their record.\n";
  for (const auto& table : tables) {
    out += fmt::format("\n{}\n  {}\n", table.name, printable(table.help));
    std::size_t width = 0;
    for (const auto& field : table.fields) width = std::max(width, columns(field.name) + 2);
    for (const auto& field : table.fields) {
      const bool dotted = field.name.contains('.');
      const std::string name = dotted ? "\"" + printable(field.name) + "\"" : printable(field.name);
      fmt::format_to(std::back_inserter(out), "    {:<{}}  {:<8}  {}\n", name, width, field.type,
                     printable(field.help));
    }
  }
  return out;
}

Status show_tables(const store::Reader& reader) {
  Out out(STDOUT_FILENO);
  out.add(tables_text(TRY(reader.tables())));
  return out.write();
}

}  // namespace

Exit query(const Arguments& arguments, const Agent& agent) {
  const auto reader = store::Reader::open(store_path(arguments, agent));
  if (!reader) return complain(reader.error());
  const Status done = arguments.tables        ? show_tables(*reader)
                      : arguments.ids.empty() ? ask(*reader, arguments)
                                              : show_records(*reader, arguments);
  return done ? Exit::fine : complain(done.error());
}

}  // namespace tapio::cli
