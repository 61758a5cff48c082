// SPDX-License-Identifier: Apache-2.0
#include "serve/http_site.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "record/record_id.hpp"
#include "serve/metrics.hpp"
#include "serve/ui_page.hpp"

namespace tapio::serve {

namespace {

using enum Parameter;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kIdPlace = "{id}";

constexpr std::string_view kHtml = "text/html; charset=utf-8";

constexpr std::array<Route, 14> kRoutes = {{
    {"/", "page", "The page for people, in one file.", {}, kHtml, true, &Site::page},
    {"/healthz",
     "healthz",
     "Whether the agent's work goes on: 200, else 503.",
     {},
     kText,
     true,
     &Site::healthz},
    {"/readyz",
     "readyz",
     "Whether it sees what it was told to see: 200, else 503 and why.",
     {},
     kText,
     true,
     &Site::readyz},
    {"/metrics",
     "metrics",
     "The agent's figures and records of type metric, for Prometheus.",
     {},
     kMetricsText,
     false,
     &Site::metrics},
    {"/api/v1/status",
     "status",
     "What is on, off and why, how well each observer is, the ledger, losses and cost; as `tapio "
     "status --json`.",
     {},
     kJson,
     false,
     &Site::status},
    {"/api/v1/stories",
     "stories",
     "What happened and why, the latest first.",
     {limit, cursor, since},
     kJson,
     false,
     &Site::stories},
    {"/api/v1/stories/{id}", "story", "One story.", {}, kJson, false, &Site::story},
    {"/api/v1/records",
     "records",
     "The latest records, those handed out last first.",
     {limit, cursor, name, type},
     kJson,
     false,
     &Site::records},
    {"/api/v1/records/{id}",
     "record",
     "One record, as long as it is kept.",
     {},
     kJson,
     false,
     &Site::record},
    {"/api/v1/processes",
     "processes",
     "The processes that live, and where.",
     {},
     kJson,
     false,
     &Site::processes},
    {"/api/v1/kernels",
     "kernels",
     "What each program did on real kernels, as known when this agent was built.",
     {},
     kJson,
     false,
     &Site::kernels},
    {"/api/v1/events",
     "events",
     "Records as they come, as server-sent events; ids are those of the records, and Last-Event-ID "
     "goes on behind one.",
     {name, type},
     "text/event-stream"},
    {"/api/v1/schemas", "schemas", "What records look like.", {}, kJson, false, &Site::schemas},
    {"/api/v1/openapi.json", "openapi", "This description.", {}, kJson, false, &Site::openapi},
}};

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// {"<what>":[...],"next":"<id>"|null<more>}
std::string page_of(std::string_view what, const std::vector<std::string_view>& items,
                    const std::optional<RecordId>& next, std::string_view more = "") {
  std::string out = fmt::format(R"({{"{}":[)", what);
  for (std::size_t i = 0; i < items.size(); ++i) out.append(i > 0 ? "," : "").append(items[i]);
  out += R"(],"next":)";
  out += next ? quoted(next->text()) : "null";
  return out.append(more) += '}';
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

Found find_route(std::string_view path) {
  for (const Route& route : kRoutes) {
    const auto place = route.path.find(kIdPlace);
    if (place == std::string_view::npos) {
      if (route.path == path) return {&route};
      continue;
    }
    if (!path.starts_with(route.path.substr(0, place))) continue;
    const auto id = path.substr(place);
    if (!id.empty() && !id.contains('/')) return {&route, std::string(id)};
  }
  return {};
}

std::string etag_of(std::string_view body) {
  return fmt::format(R"("{:016x}")", std::hash<std::string_view>{}(body));
}

bool has_etag(std::string_view header, std::string_view etag) {
  return header == "*" || header.contains(etag);  // quoted, so it is none's part
}

Answer refusal(unsigned status, const Error& error) {
  return {.status = status, .body = error_json(error)};
}

const std::string& Site::fresh_status(MonotonicTime now) {
  if (!status_read_ || now - *status_read_ >= kFresh) {
    status_ = api_.status_json();
    status_read_ = now;
  }
  return status_;
}

const std::vector<StoryText>& Site::fresh_stories(MonotonicTime now) {
  if (!stories_read_ || now - *stories_read_ >= kFresh) {
    stories_ = api_.told_stories();
    stories_read_ = now;
  }
  return stories_;
}

Answer Site::status(const Call& call) {
  return {.body = fresh_status(call.now)};
}

Answer Site::stories(const Call& call) {
  const auto from = call.query.since ? call.now - *call.query.since : MonotonicTime::min();
  std::vector<std::string_view> found;
  std::optional<RecordId> last;
  const auto& all = fresh_stories(call.now);
  auto story = all.rbegin();
  const auto is_on_this_page = [&](const StoryText& one) {
    return one.time >= from && (!call.query.cursor || one.id < *call.query.cursor);
  };
  for (; story != all.rend() && found.size() < call.query.limit; ++story) {
    if (!is_on_this_page(*story)) continue;
    found.push_back(story->json);
    last = story->id;
  }
  if (std::none_of(story, all.rend(), is_on_this_page)) last.reset();
  return {.body = page_of("stories", found, last), .cacheable = true};
}

Answer Site::story(const Call& call) {
  const auto id = parse_record_id(call.id);
  for (const StoryText& story : fresh_stories(call.now))
    if (story.id == id) return {.body = story.json, .cacheable = true};
  return refusal(404, {Fault::invalid, "there is no such story, or it is not kept any more"});
}

Answer Site::records(const Call& call) {
  std::uint64_t number = recent_.end();
  if (call.query.cursor) number = recent_.find(*call.query.cursor).value_or(recent_.begin());
  std::vector<std::string_view> found;
  std::optional<RecordId> last;
  for (; number > recent_.begin(); --number) {
    const Line& line = recent_.at(number - 1);
    if (!call.query.wants(*line.schema)) continue;
    if (found.size() == call.query.limit) break;
    found.push_back(line.json);
    last = line.id;
  }
  if (number == recent_.begin()) last.reset();
  const auto more = fmt::format(R"(,"kept":{},"forgotten":{},"missed":{})",
                                recent_.end() - recent_.begin(), recent_.begin(), missed_);
  return {.body = page_of("records", found, last, more)};
}

Answer Site::record(const Call& call) {
  const auto id = parse_record_id(call.id);
  const auto number = id ? recent_.find(*id) : std::nullopt;
  if (!number || recent_.at(*number).id != id)
    return refusal(404, {Fault::invalid, "there is no such record, or it is not kept any more"});
  return {.body = recent_.at(*number).json, .cacheable = true};
}

Answer Site::processes(const Call& call) {
  if (!processes_read_ || call.now - *processes_read_ >= kFresh) {
    processes_ = api_.processes_json();
    processes_read_ = call.now;
  }
  return {.body = processes_};
}

Answer Site::kernels(const Call&) {
  return {.body = std::string(api_.kernels_json()), .cacheable = true};
}

Answer Site::page(const Call&) {
  return {.body = std::string(ui_page()), .cacheable = true};
}

Answer Site::schemas(const Call&) {
  return {.body = schemas_json(api_.schemas()), .cacheable = true};
}

Answer Site::openapi(const Call&) {
  return {.body = openapi_json(), .cacheable = true};
}

Answer Site::healthz(const Call&) {
  const Health health = api_.health();
  if (health.alive) return {.body = "ok\n"};
  return {.status = 503, .body = std::string(health.why) + '\n'};
}

Answer Site::readyz(const Call&) {
  const Health health = api_.health();
  if (health.alive && health.ready) return {.body = "ok\n"};
  return {.status = 503, .body = std::string(health.why) + '\n'};
}

Answer Site::metrics(const Call& call) {
  const auto status = parse_json(fresh_status(call.now));
  if (!status) return refusal(500, status.error());
  Exposition out;
  append_status(out, *status);
  metrics_.append_to(out, call.now);
  return {.body = std::move(out).text()};
}

}  // namespace tapio::serve
