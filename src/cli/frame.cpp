// SPDX-License-Identifier: Apache-2.0
#include "cli/frame.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/figure_text.hpp"
#include "cli/grid.hpp"
#include "record/human.hpp"

namespace tapio::cli {

using serve::Json;

namespace {

constexpr std::string_view kFooter = "q quit  Tab view  s sort  r reverse  p pause  h help";
constexpr std::string_view kHelp[] = {
    "q, Ctrl-C     quit",
    "Tab, Right    next view; Shift-Tab, Left: the one before; 1 to 9: by number",
    "s             sort by the next column; the one with * is what it is sorted by",
    "r             the other way round",
    "p, Space      hold the picture; once more: go on",
    "Up, Down      move by a line; PgUp, PgDn: by ten",
    "h, ?          this",
    "",
    "Figures are those of the last 10 to 20 seconds, of records that the agent handed",
    "out; LOST are those it could not. `tapio explain ID` has all of a story.",
};

// A head, and rows of which as many are shown as there is room for.
struct Panel {
  std::string head;
  std::vector<std::string> rows;
};

Panel panel_of(const Grid& grid) {
  auto lines = grid.lines();
  std::string head = std::move(lines.front());
  lines.erase(lines.begin());
  return {std::move(head), std::move(lines)};
}

double order_of(const Cell& cell) {
  if (cell.number) return *cell.number;
  return cell.common.empty() ? -1 : static_cast<double>(cell.common.front().count);
}

// The largest first; what is alike stays in the order of its keys.
void sort(std::vector<TallyRow>& rows, const Look& look) {
  std::ranges::stable_sort(rows, [&](const TallyRow& a, const TallyRow& b) {
    return look.sort < a.cells.size() &&
           order_of(a.cells[look.sort]) > order_of(b.cells[look.sort]);
  });
  if (look.reverse) std::ranges::reverse(rows);
}

Grid grid_of(const View& view, std::size_t sorted) {
  const auto marked = [&](std::size_t column, std::string_view head) {
    return std::string(head) + (column == sorted ? "*" : "");
  };
  std::vector<Grid::Column> columns = {{marked(view.figures.size(), view.head)}};
  for (std::size_t i = 0; i < view.figures.size(); ++i)
    columns.push_back({marked(i, view.figures[i].head), view.figures[i].of == Figure::Of::common
                                                            ? Grid::Align::left
                                                            : Grid::Align::right});
  return Grid(std::move(columns));
}

// Why there is nothing to see, as far as the agent says.
std::string nothing(const Watch& watch, const Page& page, std::chrono::nanoseconds covered) {
  auto text = fmt::format("No {} in the last {:.0f} s.", page.view->schema->name,
                          std::chrono::duration<double>(covered).count());
  for (const ObserverRow& row : watch.observers())
    if (row.name == page.observer && row.state != "on")
      text += fmt::format(" The observer {} is {}{}{}.", row.name, row.state,
                          row.reason.empty() ? "" : ": ", printable(row.reason));
  return text;
}

Panel view_panel(Watch& watch, const Page& page, const Look& look, MonotonicTime now) {
  Tally& tally = *watch.tally(page.view);
  Grid grid = grid_of(*page.view, std::min(look.sort, page.view->figures.size()));
  auto rows = tally.rows(now);
  sort(rows, look);
  for (TallyRow& row : rows) {
    std::vector<std::string> cells = {std::move(row.key)};
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      cells.push_back(cell_text(*page.view, page.view->figures[i], row.cells[i]));
    grid.add(std::move(cells));
  }
  Panel panel = panel_of(grid);
  if (panel.rows.empty()) panel.rows = {nothing(watch, page, tally.covers(now))};
  return panel;
}

Panel stories_panel(const Watch& watch, bool with_id) {
  const Json& counts = watch.status()["stories"];
  Panel panel{.head = fmt::format("STORIES  {} told, {} suppressed", counts["told"].count(),
                                  counts["suppressed"].count()),
              .rows = {}};
  for (const auto& [id, story] : watch.stories()) {
    auto& row = panel.rows.emplace_back();
    append_human_time(row, story.time);
    row.resize(row.rfind('.'));
    if (with_id) row += fmt::format("  {:<16} {:<8}", id.text(), name(story.severity));
    row += "  " + printable(story.title);
  }
  if (panel.rows.empty()) panel.rows = {"No stories yet."};
  return panel;
}

Panel observers_panel(const Watch& watch, bool all) {
  using enum Grid::Align;
  Grid grid({{"OBSERVER"},
             {"STATE"},
             {"HEALTH"},
             {"EVENTS/s", right},
             {"RECORDS/s", right},
             {"LOST/s", right},
             {"LOST", right},
             {""}});
  for (const ObserverRow& row : watch.observers())
    if (all || row.state != "off")
      grid.add({printable(row.name), printable(row.state), printable(row.health),
                rate_text(row.events), rate_text(row.records), rate_text(row.lost),
                fmt::format("{}", row.lost_in_all), printable(row.reason)});
  return panel_of(grid);
}

std::vector<Panel> panels_of(Watch& watch, const Pages& pages, const Look& look,
                             MonotonicTime now) {
  const Page& page = pages.all[look.page];
  if (page.view) return {view_panel(watch, page, look, now)};
  if (page.name == kStories) return {stories_panel(watch, true)};
  if (page.name == kObservers) return {observers_panel(watch, true)};
  std::vector<Panel> panels = {stories_panel(watch, false)};
  for (const Page& other : pages.all)
    if (other.view && other.view->in_overview)
      panels.push_back(view_panel(watch, other, {.sort = look.sort, .reverse = look.reverse}, now));
  panels.push_back(observers_panel(watch, false));
  return panels;
}

// A row for each in turn, until all have what they want or there is no room.
std::vector<std::size_t> share(const std::vector<Panel>& panels, std::size_t room) {
  std::vector<std::size_t> shares(panels.size(), 0);
  for (bool more = true; more && room > 0;) {
    more = false;
    for (std::size_t i = 0; i < panels.size() && room > 0; ++i) {
      if (shares[i] >= panels[i].rows.size() + 1) continue;
      ++shares[i];
      --room;
      more = true;
    }
  }
  return shares;
}

// With its head, from the row that is the first.
void append(Frame& frame, const Panel& panel, std::size_t lines, std::size_t first) {
  if (lines == 0) return;
  frame.push_back({panel.head, Style::head});
  for (std::size_t i = first; i < panel.rows.size() && i - first + 1 < lines; ++i)
    frame.push_back({panel.rows[i]});
}

std::string title(const Watch& watch, const Pages& pages, const Look& look, Now now) {
  const Json& status = watch.status();
  std::string time, uptime, memory;
  append_human_time(time, now.wall);
  time.resize(time.rfind('.'));
  append_human(uptime, std::chrono::seconds(std::min<std::uint64_t>(
                           status["uptime_seconds"].count(), 1'000'000'000)));
  append_human_bytes(memory, status["memory"]["rss_bytes"].count());
  double lost = 0;
  for (const ObserverRow& row : watch.observers()) lost += row.lost;
  auto text =
      fmt::format("{}  {}{}  up {}, cpu {:.1f}%, {}, lost {}/s", time, pages.all[look.page].name,
                  look.paused ? " (held)" : "", uptime, watch.cpu() * 100, memory, rate_text(lost));
  if (const auto residue = status["ledger"]["residue"].integer(); residue != 0)
    text += fmt::format(", residue {}", residue);
  if (watch.missed() > 0) text += fmt::format(", {} missed", watch.missed());
  return text;
}

// As the terminal is: lines neither wider nor more, and at its foot what the keys do.
void fit(Frame& frame, Size size) {
  if (size.rows > 0) {
    frame.resize(size.rows - 1);
    frame.push_back({std::string(kFooter), Style::bar});
  }
  if (size.columns == 0) return;
  for (FrameLine& line : frame) {
    line.text = cut(line.text, size.columns);
    if (line.style == Style::bar) line.text.append(size.columns - columns(line.text), ' ');
  }
}

}  // namespace

Frame draw(Watch& watch, const Pages& pages, Look& look, Size size, Now now) {
  Frame frame = {{title(watch, pages, look, now), Style::bar}};
  if (look.help) {
    for (const std::string_view line : kHelp) frame.push_back({std::string(line)});
  } else {
    const auto panels = panels_of(watch, pages, look, now.monotonic);
    const std::size_t room = size.rows > 0 ? size.rows - 2 : panels.size() * (kMaxPanelRows + 1);
    const auto shares = share(panels, room);
    const bool alone = panels.size() == 1;
    if (alone) look.first = std::min(look.first, panels[0].rows.size() - 1);
    for (std::size_t i = 0; i < panels.size(); ++i)
      append(frame, panels[i], shares[i], alone ? look.first : 0);
  }
  fit(frame, size);
  return frame;
}

}  // namespace tapio::cli
