// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "base/settings.hpp"

namespace tapio::nats {

struct Config {
  static constexpr std::size_t kMaxServers = 16;

  bool enabled = false;
  std::vector<std::string> servers{"nats://127.0.0.1:4222"};
  std::string node;
  std::string prefix = "tapio";
  bool insecure = false;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string auth_credentials;
  std::string auth_token_file;
  std::string auth_user;
  std::string auth_password_file;
  bool stream_create = false;
  std::string stream_name = "TAPIO";
  std::uint32_t stream_replicas = 1;
  ByteSize stream_max_bytes{10ull << 30};
  std::chrono::milliseconds stream_max_age = std::chrono::hours(7 * 24);
  std::chrono::milliseconds stream_duplicate_window = std::chrono::minutes(2);

  [[nodiscard]] Status check() const;

  static constexpr auto settings() {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Publish every record to a stream of NATS JetStream."},
        Setting{"servers", &Config::servers,
                "Of one cluster, in any order: tls://HOST:PORT or nats://HOST:PORT. One is used, "
                "and another when it fails."},
        Setting{"node", &Config::node,
                "What this node is called in subjects and message ids; no two may share it. Empty: "
                "its host name."},
        Setting{"prefix", &Config::prefix, "What every subject begins with."},
        Setting{"insecure", &Config::insecure,
                "Let records go to another machine unencrypted, to a server that is nats://."},
        Setting{"tls.ca", &Config::tls_ca,
                "A file with the certificates to trust, in PEM. Empty: those that the system "
                "trusts."},
        Setting{"tls.certificate", &Config::tls_certificate,
                "A file with a certificate of our own, in PEM, for servers that ask for one."},
        Setting{"tls.key", &Config::tls_key,
                "A file with the key of the certificate, in PEM. Not readable for everybody."},
        Setting{"auth.credentials", &Config::auth_credentials,
                "A .creds file, with a user's JWT and key. Not readable for everybody."},
        Setting{"auth.token_file", &Config::auth_token_file,
                "A file with a token. Not readable for everybody."},
        Setting{"auth.user", &Config::auth_user, "A user; the password is in auth.password_file."},
        Setting{"auth.password_file", &Config::auth_password_file,
                "A file with the user's password. Not readable for everybody."},
        Setting{"stream.create", &Config::stream_create,
                "Create the stream if there is none of its name. One that is there stays as it "
                "is."},
        Setting{"stream.name", &Config::stream_name, "Of the stream that is created."},
        Setting{"stream.replicas", &Config::stream_replicas,
                "Servers that keep each record: 1, or 3 or 5 of a cluster.", 1u, 5u},
        Setting{"stream.max_bytes", &Config::stream_max_bytes,
                "What the stream may take on each server; the oldest records go first.",
                ByteSize{1 << 20}, ByteSize{1ull << 50}},
        Setting{"stream.max_age", &Config::stream_max_age, "How long records are kept.",
                milliseconds(minutes(5)), milliseconds(hours(10 * 365 * 24))},
        Setting{"stream.duplicate_window", &Config::stream_duplicate_window,
                "How long the server knows a message id: a record that comes again within it is "
                "stored once.",
                milliseconds(minutes(1)), milliseconds(hours(24))},
    };
  }

 private:
  [[nodiscard]] Status check_servers() const;
  [[nodiscard]] Status check_names() const;
  [[nodiscard]] Status check_login() const;
};

}  // namespace tapio::nats
