// SPDX-License-Identifier: Apache-2.0
#include "otlp_config.hpp"

#include <algorithm>

#include "net/http_client.hpp"

namespace tapio::otlp {

namespace {

// The key of "key=value", or "".
std::string_view key_of(std::string_view attribute) {
  const auto equals = attribute.find('=');
  return equals == std::string_view::npos ? std::string_view() : attribute.substr(0, equals);
}

}  // namespace

std::string Config::url(Signal signal) const {
  const std::string& own = signal == Signal::logs      ? logs_endpoint
                           : signal == Signal::metrics ? metrics_endpoint
                                                       : traces_endpoint;
  if (!own.empty()) return own;
  std::string base = endpoint;
  while (base.ends_with('/')) base.pop_back();
  return base + "/v1/" + std::string(name(signal));
}

Status Config::check() const {
  static const Config kDefault;
  for (const auto& [signal, value] : enum_names(Signal{})) {
    if (url(value) == kDefault.url(value)) continue;  // to look at it would load libcurl
    if (Status good = net::check_url(url(value)); !good)
      return std::unexpected(
          std::move(good.error()).within(std::string(signal) + ": " + url(value)));
  }
  if (tls_certificate.empty() != tls_key.empty())
    return invalid("tls: certificate and key belong together, give both");
  if (!spool_path.empty() && !spool_path.starts_with('/'))
    return invalid("spool.path: give it from the root, like /var/lib/tapio/otlp.spool");
  for (const std::string& attribute : resource)
    if (key_of(attribute).empty())
      return invalid("resource: give attributes as key=value, like cloud.region=eu-north-1");
  return {};
}

}  // namespace tapio::otlp
