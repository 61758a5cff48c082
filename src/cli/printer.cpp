// SPDX-License-Identifier: Apache-2.0
#include "cli/printer.hpp"

#include <unistd.h>

#include <algorithm>

#include "record/json.hpp"

namespace tapio::cli {

Printer::Printer(const TraceOptions& options)
    : schemas_(options.schemas),
      where_(options.where),
      format_(options.format),
      max_(options.max),
      out_(STDOUT_FILENO),
      table_(schemas_, format_ == Format::wide ? Table::Detail::wide : Table::Detail::narrow,
             out_.terminal_columns()) {
  if (format_ != Format::table && format_ != Format::wide) return;
  out_.add(table_.header());
  out_.add("\n");
}

Result<bool> Printer::print(const Batch& batch) {
  for (const Record& record : batch.records)
    if (!add(record, batch.clocks, {})) break;
  return write();
}

bool Printer::add(const Record& record, const Clocks& clocks, std::string_view json) {
  if (has_enough()) return false;
  if (!wants(record)) return true;
  append(record, clocks, json);
  if (record.schema->kind != Kind::gap) ++printed_;
  return !has_enough();
}

Result<bool> Printer::write() {
  TRY(out_.write());
  return !out_.gone() && !has_enough();
}

bool Printer::wants(const Record& record) const {
  if (record.schema->kind == Kind::gap) return true;
  return std::ranges::find(schemas_, record.schema) != schemas_.end() && matches(record, where_);
}

void Printer::append(const Record& record, const Clocks& clocks, std::string_view json) {
  switch (format_) {
    case Format::none:
      return;
    case Format::json:
      if (json.empty())
        append_json(out_.waiting(), record, clocks);
      else
        out_.add(json);
      break;
    case Format::table:
    case Format::wide:
      table_.append_row(out_.waiting(), record, clocks);
      break;
  }
  out_.add("\n");
}

}  // namespace tapio::cli
