// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "serve/http_query.hpp"
#include "serve/local_socket.hpp"
#include "serve/metric_records.hpp"
#include "serve/recent.hpp"

namespace tapio::serve {

// A story as it is told, in the order of telling.
struct StoryText {
  RecordId id;
  MonotonicTime time{};  // when it happened
  std::string json;
};

struct Health {
  bool alive = true;  // its work goes on
  bool ready = true;  // it sees what it was told to see
  std::string_view why = "ok";
};

// What can be asked over HTTP, beside what the local socket answers. Called from the thread of the
// server.
class HttpApi : public Api {
 public:
  virtual std::vector<StoryText> told_stories() = 0;
  virtual Health health() = 0;  // waits for nothing
  virtual std::vector<const Schema*> schemas() = 0;
  virtual std::string processes_json() = 0;
  virtual std::string_view kernels_json() = 0;  // what was known when the program was built
};

struct Answer {
  unsigned status = 200;
  std::string body;
  bool cacheable = false;  // for as long as its ETag is the same
};

// One question, understood.
struct Call {
  Query query{};
  std::string id{};  // what stands for {id} in the path
  MonotonicTime now{};
};

class Site;

struct Route {
  std::string_view path;
  std::string_view name;  // operationId
  std::string_view summary;
  ParameterSet parameters;
  std::string_view type;                          // of what it answers
  bool open = false;                              // without a token
  Answer (Site::*answer)(const Call&) = nullptr;  // nullptr: the stream of events
};

// All of them; the OpenAPI document is made of this.
[[nodiscard]] std::span<const Route> routes();

struct Found {
  const Route* route = nullptr;  // nullptr: there is none
  std::string id{};
};
[[nodiscard]] Found find_route(std::string_view path);

[[nodiscard]] std::string openapi_json();
[[nodiscard]] std::string schemas_json(std::span<const Schema* const> schemas);
[[nodiscard]] std::string etag_of(std::string_view body);
// Whether the header If-None-Match names it.
[[nodiscard]] bool has_etag(std::string_view header, std::string_view etag);
[[nodiscard]] Answer refusal(unsigned status, const Error& error);

// The answers, but for the stream. One thread uses it.
class Site {
 public:
  // The pipeline has to stop for a moment to tell its status or stories: it is asked so often at
  // most, whatever clients do.
  static constexpr std::chrono::milliseconds kFresh{1000};

  Site(HttpApi& api, const Recent& recent, const MetricRecords& metrics)
      : api_(api), recent_(recent), metrics_(metrics) {}

  // Records that did not get here.
  void miss(std::uint64_t records) { missed_ += records; }

  Answer status(const Call& call);
  Answer stories(const Call& call);
  Answer story(const Call& call);
  Answer records(const Call& call);
  Answer record(const Call& call);
  Answer processes(const Call& call);
  Answer kernels(const Call& call);
  Answer schemas(const Call& call);
  Answer openapi(const Call& call);
  Answer healthz(const Call& call);
  Answer readyz(const Call& call);
  Answer metrics(const Call& call);
  Answer page(const Call& call);

 private:
  const std::string& fresh_status(MonotonicTime now);
  const std::vector<StoryText>& fresh_stories(MonotonicTime now);

  HttpApi& api_;
  const Recent& recent_;
  const MetricRecords& metrics_;
  std::uint64_t missed_ = 0;
  std::optional<MonotonicTime> status_read_, stories_read_, processes_read_;
  std::string status_, processes_;
  std::vector<StoryText> stories_;
};

}  // namespace tapio::serve
