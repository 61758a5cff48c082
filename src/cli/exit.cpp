// SPDX-License-Identifier: Apache-2.0
#include "cli/exit.hpp"

#include <unistd.h>

#include "cli/out.hpp"

namespace tapio::cli {

Exit exit_of(Fault fault) {
  switch (fault) {
    case Fault::invalid:
      return Exit::misused;
    case Fault::denied:
      return Exit::denied;
    case Fault::unsupported:
      return Exit::unsupported;
    case Fault::exhausted:
    case Fault::unavailable:
    case Fault::broken:
      return Exit::wrong;
  }
  return Exit::wrong;
}

Exit complain(const Error& error) {
  note(error.what);
  return exit_of(error.fault);
}

Exit print(std::string_view text) {
  Out out(STDOUT_FILENO);
  out.add(text);
  if (const auto written = out.write(); !written) return complain(written.error());
  return Exit::fine;
}

}  // namespace tapio::cli
