// SPDX-License-Identifier: Apache-2.0
#include "cli/pages.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/settings.hpp"
#include "base/text.hpp"
#include "cli/targets.hpp"

namespace tapio::cli {

namespace {

using Observers = std::span<const Descriptor* const>;

constexpr std::string_view kProcess = "process.executable.name";
constexpr std::size_t kMaxFigures = 8;

const Field* field_of(const Schema& schema, std::string_view name) {
  const auto found = std::ranges::find(schema.fields, name, &Field::name);
  return found == schema.fields.end() ? nullptr : &*found;
}

// What can be said of a field of any record; nothing of ids and the like.
std::vector<Figure> figures_of(const Field& field) {
  if (field.column.empty()) return {};
  if (field.type == Type::duration)
    return {figure::quantile_of(field.column, field.name, 0.5),
            figure::quantile_of("p99", field.name, 0.99)};
  if (field.unit == "By") return {figure::most_of(field.column, field.name)};
  if (field.type == Type::text) return {figure::common_of(field.column, field.name)};
  return {};
}

Status check_key(const Schema& schema, const std::string& key) {
  std::vector<std::string> known(kKeysOfWho.begin(), kKeysOfWho.end());
  for (const Field& field : schema.fields) known.emplace_back(field.name);
  if (std::ranges::find(known, key) != known.end()) return {};
  const auto near = nearest(key, known);
  return invalid(fmt::format("{} records have no {}{}", schema.name, config::shown(key),
                             near.empty() ? "" : fmt::format(", did you mean {}?", near)));
}

struct Found {
  const Schema* schema = nullptr;
  std::string_view observer = "";
};

Found find_schema(Observers observers, std::string_view name) {
  for (const Descriptor* observer : observers)
    for (const Schema* schema : observer->schemas)
      if (schema->name == name) return {schema, observer->name};
  return {};
}

std::unexpected<Error> unknown(Observers observers, const std::string& asked) {
  auto known = page_names(observers);
  const auto pages = fmt::format("{}", fmt::join(known, ", "));
  for (const Descriptor* observer : observers)
    for (const Schema* schema : observer->schemas) known.emplace_back(schema->name);
  const auto near = nearest(asked, known);
  const auto hint = near.empty() ? fmt::format("there are {}, and every record", pages)
                                 : fmt::format("did you mean {}?", near);
  return invalid(fmt::format("no view is called {}; {}", config::shown(asked), hint));
}

std::vector<Page> declared(Observers observers) {
  std::vector<Page> all = {{kOverview}, {kStories}, {kObservers}};
  for (const Descriptor* observer : observers)
    for (const View* view : observer->views) all.push_back({view->name, view, observer->name});
  return all;
}

}  // namespace

OwnView::OwnView(const Schema& schema, std::optional<std::string> by) {
  view_ = {.name = schema.name, .help = schema.help, .schema = &schema};
  figures_.push_back(figure::rate_of("RECORDS/s"));
  group_by(by ? std::move(*by) : std::string(kProcess));
  for (const Field& field : schema.fields)
    for (const Figure& figure : figures_of(field))
      if (field.name != by_ && figures_.size() < kMaxFigures) figures_.push_back(figure);
  view_.figures = figures_;
}

OwnView::OwnView(const View& view, std::string by) : view_(view) {
  group_by(std::move(by));
}

void OwnView::group_by(std::string by) {
  by_ = std::move(by);
  const Field* field = field_of(*view_.schema, by_);
  head_ = field && !field->column.empty() ? field->column : by_ == kProcess ? "PROCESS" : by_;
  view_.keys = {by_};
  view_.head = head_;
}

Result<Pages> pages(Observers observers, const std::string& asked,
                    const std::optional<std::string>& by) {
  Pages pages{.all = declared(observers)};
  const auto page = std::ranges::find(pages.all, asked, &Page::name);
  const bool is_declared = page != pages.all.end();
  pages.first = static_cast<std::size_t>(page - pages.all.begin());
  if (is_declared && !by) return pages;
  if (is_declared && !page->view)
    return invalid(fmt::format("--by wants a view of records, not {}", asked));
  const Found found =
      is_declared ? Found{page->view->schema, page->observer} : find_schema(observers, asked);
  if (!found.schema) return unknown(observers, asked);
  if (by) TRY(check_key(*found.schema, *by));
  pages.own = is_declared ? std::make_unique<OwnView>(*page->view, *by)
                          : std::make_unique<OwnView>(*found.schema, by);
  pages.first = pages.all.size();
  pages.all.push_back({pages.own->view().name, &pages.own->view(), found.observer});
  return pages;
}

std::vector<std::string> page_names(Observers observers) {
  std::vector<std::string> names;
  for (const Page& page : declared(observers)) names.emplace_back(page.name);
  return names;
}

std::vector<std::string> words_of(std::string_view command, Observers observers) {
  return command == "top" ? page_names(observers) : targets(observers);
}

}  // namespace tapio::cli
