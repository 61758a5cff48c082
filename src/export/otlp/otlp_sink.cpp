// SPDX-License-Identifier: Apache-2.0
#include "otlp_sink.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/small_file.hpp"

namespace tapio::otlp {

namespace {

constexpr std::size_t kMaxHeaders = 32;

// "Name: value"; RFC 9110 section 5.
bool is_header(std::string_view line) {
  const auto colon = line.find(':');
  return colon != 0 && colon != std::string_view::npos &&
         std::ranges::all_of(line, [](char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
}

Result<std::vector<std::string>> read_headers(const std::string& path) {
  std::vector<std::string> headers;
  if (path.empty()) return headers;
  const std::string text = TRY(read_small_file(path, Secrecy::secret));
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    if (!is_header(line) || headers.size() >= kMaxHeaders)
      return invalid(path + " wants lines like Authorization: Bearer abc, 32 at most");
    headers.push_back(std::move(line));
  }
  return headers;
}

// The agent goes on without what an earlier run has left; a write tries again.
std::unique_ptr<Spool> open_spool(const Config& config) {
  if (config.spool_path.empty()) return nullptr;
  auto spool = std::make_unique<Spool>(config.spool_path, config.spool_max_bytes);
  if (const Status opened = spool->open(); !opened)
    log::warning("sink otlp: {}; the agent goes on, and tries again", opened.error().what);
  if (const auto held = spool->held().total(); held > 0)
    log::info("sink otlp: {} records of an earlier run wait in {}", held, config.spool_path);
  return spool;
}

}  // namespace

Result<std::unique_ptr<OtlpSink>> OtlpSink::make(const Config& config) {
  Receiver receiver{.urls = {}, .headers = TRY(read_headers(config.headers_file))};
  for (const Signal signal : kAllSignals)
    receiver.urls[static_cast<std::size_t>(signal)] = config.url(signal);
  auto client = TRY(net::HttpClient::make({.time = config.timeout,
                                           .tls_ca = config.tls_ca,
                                           .tls_certificate = config.tls_certificate,
                                           .tls_key = config.tls_key}));
  return std::unique_ptr<OtlpSink>(
      new OtlpSink(config, open_spool(config), std::move(receiver), std::move(client)));
}

OtlpSink::OtlpSink(const Config& config, std::unique_ptr<Spool> spool, Receiver receiver,
                   net::HttpClient client)
    : gathering_{.time = config.interval, .records = kMaxRecords},
      encoder_(config),
      outbox_(std::move(spool)) {
  sender_.emplace(std::move(receiver), std::move(client), outbox_);
}

Status OtlpSink::write(const Batch& batch) {
  const std::shared_ptr<const Batch> borrowed(std::shared_ptr<const Batch>(), &batch);
  return write_group({&borrowed, 1});
}

Status OtlpSink::write_group(Group group) {
  const RecordId first = group.front()->records.front().id;
  if (!made_ || made_->first != first)
    made_ = Made{.first = first, .encoded = TRY(encoder_.encode(group))};
  TRY(outbox_.put(made_->encoded.requests));
  unwanted_ += made_->encoded.unwanted;
  made_.reset();
  return {};
}

Settled OtlpSink::settle() {
  Settled settled = outbox_.settle();
  settled.sent += std::exchange(unwanted_, {});
  return settled;
}

void OtlpSink::finish(std::chrono::steady_clock::time_point deadline) {
  outbox_.wait_until_idle(deadline - kToPutAway);
  sender_.reset();
  outbox_.put_away();
}

}  // namespace tapio::otlp
