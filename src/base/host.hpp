// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.hpp"

namespace tapio {

// gethostname(2): as this node is called when nobody says another name.
[[nodiscard]] Result<std::string> host_name();

}  // namespace tapio
