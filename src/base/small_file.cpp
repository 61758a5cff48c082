// SPDX-License-Identifier: Apache-2.0
#include "base/small_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/fd.hpp"

namespace tapio {

Result<std::string> read_small_file(const std::string& path, Secrecy secrecy) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return from_errno(errno, "open " + path);
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return from_errno(errno, "look at " + path);
  if (!S_ISREG(about.st_mode)) return invalid(path + " is no file");
  if (secrecy == Secrecy::secret && (about.st_mode & S_IRWXO) != 0)
    return invalid(fmt::format("everybody may use {}; chmod o= it", path));
  std::string text(kMaxSmallFileBytes + 1, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) return from_errno(errno, "read " + path);
  text.resize(static_cast<std::size_t>(got));
  if (text.size() > kMaxSmallFileBytes)
    return invalid(fmt::format("{} is longer than {} bytes", path, kMaxSmallFileBytes));
  return text;
}

}  // namespace tapio
