// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "enrich/cgroup_path.hpp"
#include "enrich/cgroupfs.hpp"

// Paths are what strangers call their directories. Whatever they are: an id is an id, a uid is a
// uid, a class comes with a pod, names lie in the path, and the same path tells the same again.
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

void check(std::string_view path) {
  const auto found = tapio::identify_cgroup(path);
  require(found.container_id.empty() || found.container_id.size() == 64);
  require(is_hex(found.container_id));
  require(found.runtime.empty() || !found.container_id.empty());
  require(found.pod_uid.empty() == found.qos.empty());
  require(found.pod_uid.empty() || found.pod_uid.size() == 36 || found.pod_uid.size() == 32);
  require(found.pod_uid.find_first_not_of("0123456789abcdef-") == std::string::npos);
  require(found.user_unit.empty() || found.unit.starts_with("user@"));
  for (const auto part : {found.container_id, found.unit, found.user_unit}) {
    require(lies_in(part, path));
    require(!part.contains('/') && part.size() <= 255);
  }
  require(found == tapio::identify_cgroup(path));
  // What cannot be seen of the head changes nothing.
  const std::string above = "/../.." + std::string(path);
  const auto from_inside = tapio::identify_cgroup(above);
  if (path.starts_with('/')) {
    require(from_inside == found);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check(text);
  for (const std::string_view hierarchy : {"v2", "v1 memory", "v1 name=systemd"}) {
    const auto path = tapio::cgroupfs::path_in(text, hierarchy);
    require(lies_in(path, text));
    require(path.empty() || (path.starts_with('/') && !path.contains('\n')));
    check(path);
  }
  return 0;
}
