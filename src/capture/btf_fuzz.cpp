// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>

#include <cstdint>
#include <cstdlib>

#include "capture/btf.hpp"

// What passes as sound can be followed in every way that libbpf goes when it fits programs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio::capture;
  static const auto before = libbpf_set_print(nullptr);  // it says much about each
  (void)before;
  const Types types(btf__new(data, static_cast<std::uint32_t>(size)));
  if (!types || !is_sound(*types)) return 0;
  for (std::uint32_t id = 1; id < btf__type_cnt(types.get()); ++id) {
    const btf_type* type = btf__type_by_id(types.get(), id);
    if (!type || !btf__name_by_offset(types.get(), type->name_off)) std::abort();
    while (btf_is_mod(type) || btf_is_typedef(type))
      if (type = btf__type_by_id(types.get(), type->type); !type) std::abort();
  }
  return 0;
}
