// SPDX-License-Identifier: Apache-2.0
#include "otlp_sender.hpp"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>

#include "base/text.hpp"
#include "otlp.pb.h"
#include "record/human.hpp"

namespace tapio::otlp {

namespace {

constexpr std::size_t kMaxReason = 200;  // of what a receiver says

bool is_retryable(unsigned status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::string shown(std::string_view said) {
  return cut(printable(said.substr(0, kMaxReason)), kMaxReason);
}

}  // namespace

Outcome judge(const net::HttpAnswer& answer, std::string& why) {
  using What = Outcome::What;
  const bool taken = answer.status >= 200 && answer.status < 300;
  if (!taken) {
    why = fmt::format("it answered {}", answer.status);
    if (is_retryable(answer.status))
      return {.what = What::later, .retry_after = answer.retry_after};
    if (!answer.body.empty()) why += ": " + shown(answer.body);
    return {.what = What::refused};
  }
  wire::ExportAnswer said;
  if (!said.ParseFromString(answer.body) || said.partial_success().rejected() <= 0)
    return {.what = What::taken};
  const auto& partly = said.partial_success();
  why = fmt::format("it rejected {} of a request: {}", partly.rejected(),
                    shown(partly.error_message()));
  return {.what = What::taken, .rejected = static_cast<std::uint64_t>(partly.rejected())};
}

Sender::Sender(Receiver receiver, net::HttpClient client, Outbox& outbox)
    : receiver_(std::move(receiver)),
      client_(std::move(client)),
      outbox_(outbox),
      thread_([this](const std::stop_token& stop) {
        google::protobuf::SetLogHandler(nullptr);  // what a receiver says is not for our log
        run(stop);
      }) {}

void Sender::run(const std::stop_token& stop) {
  while (const auto parcel = outbox_.next(stop)) {
    std::string why;
    const Outcome outcome = send(*parcel->request, stop, why);
    const auto wait = outbox_.done(*parcel, outcome);
    if (!stop.stop_requested()) tell(parcel->request->signal, outcome, why, wait);
  }
}

Outcome Sender::send(const Request& request, const std::stop_token& stop, std::string& why) {
  net::HttpRequest http{.url = receiver_.urls[static_cast<std::size_t>(request.signal)],
                        .headers = receiver_.headers,
                        .body = request.body};
  http.headers.emplace_back("Content-Type: application/x-protobuf");
  http.headers.emplace_back("Expect:");  // libcurl would ask first, and wait for a second
  if (request.gzip) http.headers.emplace_back("Content-Encoding: gzip");
  const auto answer = client_.post(http, stop);
  if (answer) return judge(*answer, why);
  why = answer.error().what;
  return {.what = Outcome::What::later};
}

void Sender::tell(Signal signal, const Outcome& outcome, const std::string& why,
                  std::chrono::milliseconds wait) {
  bool& away = away_[static_cast<std::size_t>(signal)];
  const std::string& url = receiver_.urls[static_cast<std::size_t>(signal)];
  if (std::exchange(away, outcome.what == Outcome::What::later) && !away)
    log::info("sink otlp: {} answers again, {} requests wait", url, outbox_.waiting());
  std::uint64_t unsaid = 0;
  if (why.empty() || !complaints_[static_cast<std::size_t>(signal)].due(monotonic_now(), unsaid))
    return;
  std::string what = "dropped, and counted";
  if (away) {
    what = "kept, and tried again in ";
    append_human(what, wait);
  }
  log::warning("sink otlp: {}: {} ({}; {} more like it)", url, why, what, unsaid);
}

}  // namespace tapio::otlp
