// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/frame.hpp"
#include "record/json.hpp"

namespace tapio::cli {

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string list(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ","));
}

std::string json(const Common& common) {
  return fmt::format(R"({{"text":{},"count":{}}})", quoted(common.text), common.count);
}

std::string json(const Cell& cell, const Figure& figure) {
  if (figure.of != Figure::Of::common)
    return cell.number ? fmt::format("{}", *cell.number) : std::string("null");
  std::vector<std::string> texts;
  for (const Common& common : cell.common) texts.push_back(json(common));
  return list(texts);
}

// {"<head>":figure,...}: heads of one view differ.
std::string json(const TallyRow& row, const View& view) {
  std::string out = fmt::format(R"({{"key":{})", quoted(row.key));
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    out += fmt::format(",{}:{}", quoted(view.figures[i].head), json(row.cells[i], view.figures[i]));
  return out += '}';
}

std::string json(Tally& tally, MonotonicTime now) {
  std::vector<std::string> rows;
  const double seconds = std::chrono::duration<double>(tally.covers(now)).count();
  for (const TallyRow& row : tally.rows(now)) rows.push_back(json(row, tally.view()));
  return fmt::format(R"({{"name":{},"record":{},"seconds":{:.1f},"rows":{}}})",
                     quoted(tally.view().name), quoted(tally.view().schema->name), seconds,
                     list(rows));
}

std::string json(const ObserverRow& row) {
  return fmt::format(
      R"({{"name":{},"state":{},"health":{},"events_per_second":{:.2f},"records_per_second":{:.2f},)"
      R"("lost_per_second":{:.2f},"lost":{}}})",
      quoted(row.name), quoted(row.state), quoted(row.health), row.events, row.records, row.lost,
      row.lost_in_all);
}

std::string json(const ToldStory& told) {
  std::string time;
  append_rfc3339(time, told.story.time);
  return fmt::format(R"({{"id":{},"time":"{}","severity":"{}","title":{}}})",
                     quoted(told.id.text()), time, name(told.story.severity),
                     quoted(told.story.title));
}

}  // namespace

std::string frame_json(Watch& watch, const Pages& pages, std::size_t page, Now now) {
  std::vector<std::string> observers, stories, views;
  for (const ObserverRow& row : watch.observers()) observers.push_back(json(row));
  for (const ToldStory& story : watch.stories()) stories.push_back(json(story));
  const bool overview = pages.all[page].name == kOverview;
  for (std::size_t i = 0; i < pages.all.size(); ++i) {
    const View* view = pages.all[i].view;
    if (view && (i == page || (overview && view->in_overview)))
      views.push_back(json(*watch.tally(view), now.monotonic));
  }
  return fmt::format(R"({{"cpu":{:.4f},"missed":{},"observers":{},"stories":{},"views":{}}})",
                     watch.cpu(), watch.missed(), list(observers), list(stories), list(views));
}

}  // namespace tapio::cli
