// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <type_traits>
#include <utility>
#include <vector>

// What is in maps that programs fill for their observer: hashes and arrays with one value for all
// CPUs. Whoever names another map, or types of another size, finds nothing.
namespace tapio::capture {

template <typename Key, typename Value>
  requires std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value>
[[nodiscard]] std::vector<std::pair<Key, Value>> entries(const bpf_map* map, std::size_t most) {
  std::vector<std::pair<Key, Value>> list;
  if (!map || bpf_map__key_size(map) != sizeof(Key) || bpf_map__value_size(map) != sizeof(Value))
    return list;
  const auto type = bpf_map__type(map);
  if (type != BPF_MAP_TYPE_HASH && type != BPF_MAP_TYPE_LRU_HASH && type != BPF_MAP_TYPE_ARRAY)
    return list;
  const int fd = bpf_map__fd(map);
  Key key{};
  Value value{};
  const Key* previous = nullptr;
  for (std::size_t i = 0; i < most && !bpf_map_get_next_key(fd, previous, &key); ++i) {
    if (!bpf_map_lookup_elem(fd, &key, &value)) list.emplace_back(key, value);
    previous = &key;
  }
  return list;
}

template <typename Key>
  requires std::is_trivially_copyable_v<Key>
void erase(const bpf_map* map, const Key& key) {
  if (map && bpf_map__key_size(map) == sizeof(Key)) bpf_map_delete_elem(bpf_map__fd(map), &key);
}

}  // namespace tapio::capture
