// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include "base/settings.hpp"
#include "otlp_request.hpp"

namespace tapio::otlp {

enum class Compression : std::uint8_t { none, gzip };

inline constexpr std::array<EnumName<Compression>, 2> kCompressions = {
    {{"none", Compression::none}, {"gzip", Compression::gzip}}};
constexpr std::span<const EnumName<Compression>> enum_names(Compression) {
  return kCompressions;
}

inline constexpr std::array<EnumName<Signal>, kSignals> kSignalNames = {
    {{"logs", Signal::logs}, {"metrics", Signal::metrics}, {"traces", Signal::traces}}};
constexpr std::span<const EnumName<Signal>> enum_names(Signal) {
  return kSignalNames;
}

struct Config {
  bool enabled = false;
  std::string endpoint = "http://127.0.0.1:4318";
  std::string logs_endpoint, metrics_endpoint, traces_endpoint;
  std::vector<Signal> signals = {Signal::logs, Signal::metrics, Signal::traces};
  std::string headers_file;
  Compression compression = Compression::gzip;
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds interval{1'000};
  std::string tls_ca, tls_certificate, tls_key;
  std::string node;
  std::vector<std::string> resource;
  std::uint32_t series = 1000;
  std::string spool_path = "/var/lib/tapio/otlp.spool";
  ByteSize spool_max_bytes{256 << 20};

  [[nodiscard]] Status check() const;
  // Where requests of a signal go.
  [[nodiscard]] std::string url(Signal signal) const;

  static constexpr auto settings() {
    using std::chrono::milliseconds;
    return std::tuple{
        Setting{"enabled", &Config::enabled,
                "Send records to a receiver of the OpenTelemetry protocol (OTLP/HTTP, protobuf)."},
        Setting{"endpoint", &Config::endpoint,
                "Its URL. /v1/logs, /v1/metrics and /v1/traces are added to it."},
        Setting{"logs.endpoint", &Config::logs_endpoint,
                "The whole URL for logs, where it is another one."},
        Setting{"metrics.endpoint", &Config::metrics_endpoint, "The same for metrics."},
        Setting{"traces.endpoint", &Config::traces_endpoint, "The same for traces."},
        Setting{
            "signals", &Config::signals,
            "What is sent. Events, findings and gaps are logs; metrics are metrics; stories are "
            "traces, and logs too."},
        Setting{
            "headers_file", &Config::headers_file,
            "A file with headers for each request, like Authorization: Bearer ..., a line each. "
            "Not readable for everybody."},
        Setting{"compression", &Config::compression, "How requests are packed."},
        Setting{"timeout", &Config::timeout, "A request that takes longer has failed.",
                milliseconds(100), milliseconds(60'000)},
        Setting{"interval", &Config::interval,
                "How long records are gathered into one request; what is urgent does not wait.",
                milliseconds(100), milliseconds(60'000)},
        Setting{"tls.ca", &Config::tls_ca,
                "A file in PEM with who is trusted; empty: whom this system trusts."},
        Setting{"tls.certificate", &Config::tls_certificate,
                "A file in PEM with a certificate to show to the receiver."},
        Setting{"tls.key", &Config::tls_key, "A file in PEM with its key."},
        Setting{"node", &Config::node, "host.name of this node; empty: its host name."},
        Setting{"resource", &Config::resource,
                "More attributes of this node, like deployment.environment=production."},
        Setting{"series", &Config::series,
                "Of one metric. What is beyond goes into one more, with otel.metric.overflow.", 1u,
                100'000u},
        Setting{"spool.path", &Config::spool_path,
                "The file in which requests wait while the receiver is away; empty: none, and what "
                "does not fit into the queue is dropped."},
        Setting{"spool.max_bytes", &Config::spool_max_bytes,
                "What the spool takes on disk, its log included. The oldest requests go first, and "
                "are counted.",
                ByteSize{16 << 20}, ByteSize{1ull << 40}},
    };
  }
};

}  // namespace tapio::otlp
