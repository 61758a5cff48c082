// SPDX-License-Identifier: Apache-2.0
#include "export/sink.hpp"

namespace tapio {

Status Sink::write_group(Group group) {
  if (group.size() != 1) return fail(Fault::broken, "a group for a sink that does not gather");
  return write(*group.front());
}

}  // namespace tapio
