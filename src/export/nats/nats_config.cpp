// SPDX-License-Identifier: Apache-2.0
#include "nats_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "nats_address.hpp"
#include "nats_subject.hpp"

namespace tapio::nats {

namespace {

constexpr std::size_t kMaxName = 64;

bool is_plain(char c) {
  return as_token(c) == c;
}

// Of letters, digits, _ and -, with dots in between where they may be.
Status check_name(std::string_view setting, std::string_view name, bool dots) {
  bool good = !name.empty() && name.size() <= kMaxName && !name.starts_with('.') &&
              !name.ends_with('.') && !name.contains("..");
  for (const char c : name) good = good && (is_plain(c) || (dots && c == '.'));
  if (good) return {};
  return invalid(fmt::format("{}: {} is no name; take up to {} letters, digits, _ and -{}", setting,
                             config::shown(name), kMaxName, dots ? ", and dots in between" : ""));
}

}  // namespace

Status Config::check() const {
  TRY(check_servers());
  TRY(check_names());
  TRY(check_login());
  if (stream_duplicate_window > stream_max_age)
    return invalid("stream.duplicate_window: give no more than stream.max_age");
  return {};
}

Status Config::check_servers() const {
  if (servers.empty() || servers.size() > kMaxServers)
    return invalid(fmt::format("servers: give 1 to {}", kMaxServers));
  bool any_tls = false;
  for (const std::string& url : servers) {
    const auto address = parse_address(url);
    if (!address) return std::unexpected(Error(address.error()).within("servers"));
    any_tls |= address->tls;
    if (address->tls || address->is_loopback() || insecure) continue;
    return invalid(
        fmt::format("servers: {} is on another machine, and what Tapio knows would go there "
                    "unencrypted; write tls://, or say insecure: true",
                    url));
  }
  if (tls_certificate.empty() != tls_key.empty())
    return invalid("tls: certificate and key belong together, give both");
  if (!any_tls && !(tls_ca + tls_certificate).empty())
    return invalid("tls: none of the servers is tls://");
  return {};
}

Status Config::check_names() const {
  TRY(check_name("prefix", prefix, true));
  TRY(check_name("stream.name", stream_name, false));
  return node.empty() ? Status{} : check_name("node", node, true);
}

Status Config::check_login() const {
  if (auth_user.empty() != auth_password_file.empty())
    return invalid("auth: user and password_file belong together, give both");
  const auto ways = std::ranges::count_if(
      std::initializer_list<const std::string*>{&auth_credentials, &auth_token_file, &auth_user},
      [](const std::string* way) { return !way->empty(); });
  if (ways > 1) return invalid("auth: give credentials, or token_file, or user, not two of them");
  return {};
}

}  // namespace tapio::nats
