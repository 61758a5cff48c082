// SPDX-License-Identifier: Apache-2.0
#include "serve/http_config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.hpp"
#include "serve/http_address.hpp"

namespace tapio::serve {

namespace {

constexpr std::size_t kMaxFileBytes = 256 << 10;
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

Result<std::string> read_small_file(const std::string& path, Secrecy secrecy) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return from_errno(errno, "open " + path);
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return from_errno(errno, "look at " + path);
  if (!S_ISREG(about.st_mode)) return invalid(path + " is no file");
  if (secrecy == Secrecy::secret && (about.st_mode & S_IRWXO) != 0)
    return invalid(fmt::format("everybody may use {}; chmod o= it", path));
  std::string text(kMaxFileBytes + 1, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) return from_errno(errno, "read " + path);
  text.resize(static_cast<std::size_t>(got));
  if (text.size() > kMaxFileBytes)
    return invalid(fmt::format("{} is longer than {} bytes", path, kMaxFileBytes));
  return text;
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
