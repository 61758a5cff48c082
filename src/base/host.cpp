// SPDX-License-Identifier: Apache-2.0
#include "base/host.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

namespace tapio {

Result<std::string> host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return from_errno(errno, "gethostname");
  return name.data();
}

}  // namespace tapio
