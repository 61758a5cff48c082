// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <tuple>

#include "base/result.hpp"
#include "base/settings.hpp"

namespace tapio::serve {

struct HttpConfig {
  bool enabled = false;
  std::string listen = "127.0.0.1:7170";
  std::string token_file;
  std::string tls_certificate;
  std::string tls_key;
  bool insecure = false;
  std::uint32_t connections = 64;
  std::uint32_t streams = 16;
  std::chrono::milliseconds request_time{10'000};
  std::chrono::milliseconds answer_time{30'000};
  ByteSize recent{8 << 20};
  std::uint32_t series = 1000;

  // Whoever reaches this node may ask, or listen to who does: nothing of the kind without
  // `insecure`.
  [[nodiscard]] Status check() const;

  static constexpr auto settings() {
    using std::chrono::milliseconds;
    return std::tuple{
        Setting{"enabled", &HttpConfig::enabled,
                "Answer over HTTP. On loopback and without a token, every user of this node may "
                "read what Tapio knows."},
        Setting{"listen", &HttpConfig::listen,
                "Address and port, in numbers. Other addresses than loopback want token_file and "
                "tls."},
        Setting{"token_file", &HttpConfig::token_file,
                "A file with a token that clients have to send as Authorization: Bearer. Not "
                "readable for everybody."},
        Setting{"tls.certificate", &HttpConfig::tls_certificate,
                "A file with the certificate, and those between it and its root, in PEM."},
        Setting{"tls.key", &HttpConfig::tls_key,
                "A file with the key of the certificate, in PEM. Not readable for everybody."},
        Setting{"insecure", &HttpConfig::insecure,
                "Serve another address than loopback although token_file or tls is missing."},
        Setting{"connections", &HttpConfig::connections,
                "At once. When one more comes, the oldest that has not asked anything is closed.",
                4u, 1024u},
        Setting{"streams", &HttpConfig::streams, "Of these, such as read /api/v1/events.", 1u,
                512u},
        Setting{"request_time", &HttpConfig::request_time,
                "A connection that has not sent a whole request after it is closed.",
                milliseconds(100), milliseconds(600'000)},
        Setting{"answer_time", &HttpConfig::answer_time,
                "So is one that has not taken its answer; of a stream, one that takes nothing of "
                "what waits.",
                milliseconds(100), milliseconds(600'000)},
        Setting{"recent", &HttpConfig::recent,
                "Records that are kept for /api/v1/records and for streams that fall behind or "
                "come back.",
                ByteSize{64 << 10}, ByteSize{1 << 30}},
        Setting{"series", &HttpConfig::series,
                "Of one metric that records make, at /metrics. What is beyond goes into one more, "
                "with the label overflow.",
                1u, 100'000u},
    };
  }
};

// What clients have to send, from its file.
[[nodiscard]] Result<std::string> read_token(const std::string& path);

// Takes as long for every wrong token of one length.
[[nodiscard]] bool is_same_secret(std::string_view given, std::string_view expected);

}  // namespace tapio::serve
