// SPDX-License-Identifier: Apache-2.0
#include "serve/http_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/small_file.hpp"
#include "serve/http_address.hpp"

namespace tapio::serve {

namespace {

constexpr std::size_t kMinTokenBytes = 16, kMaxTokenBytes = 1024;

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Status HttpConfig::check() const {
  const auto address = parse_address(listen);
  if (!address) return std::unexpected(Error(address.error()).within("listen"));
  if (tls_certificate.empty() != tls_key.empty())
    return invalid("tls: certificate and key belong together, give both");
  if (streams >= connections)
    return invalid("streams: give fewer than connections, or nobody else could ask");
  if (address->loopback || insecure) return {};
  if (token_file.empty() || tls_key.empty())
    return invalid(
        fmt::format("listen: {} is no loopback address, so give token_file, "
                    "tls.certificate and tls.key too, or say insecure: true",
                    listen));
  return {};
}

Result<std::string> read_token(const std::string& path) {
  std::string token = TRY(read_small_file(path, Secrecy::secret));
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  if (token.size() < kMinTokenBytes || token.size() > kMaxTokenBytes || !is_printable(token))
    return invalid(fmt::format("{} wants one line of {} to {} letters, digits and signs", path,
                               kMinTokenBytes, kMaxTokenBytes));
  return token;
}

bool is_same_secret(std::string_view given, std::string_view expected) {
  if (expected.empty()) return false;
  unsigned different = given.size() == expected.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    different |= static_cast<unsigned char>(given[i]) ^
                 static_cast<unsigned char>(expected[i % expected.size()]);
  return different == 0;
}

}  // namespace tapio::serve
