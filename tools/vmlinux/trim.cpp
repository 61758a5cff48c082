// SPDX-License-Identifier: Apache-2.0
// Prints a vmlinux.h with the types of a roots list and what these hold by value. What they only
// point to is declared, not defined: a kernel's full header is 2.8 MB, and every BPF object would
// parse it.
#include <bpf/btf.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <expected>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

template <typename T>
using Result = std::expected<T, std::string>;
using Names = std::vector<std::string>;

template <auto free>
struct Freed {
  template <typename T>
  void operator()(T* resource) const {
    free(resource);
  }
};
using Btf = std::unique_ptr<btf, Freed<btf__free>>;
using Dump = std::unique_ptr<btf_dump, Freed<btf_dump__free>>;

struct Root {
  std::string name;
  Names fields;  // all of them when empty
};
using Roots = std::vector<Root>;

Root& named(Roots& roots, const std::string& name) {
  const auto found = std::ranges::find(roots, name, &Root::name);
  return found != roots.end() ? *found : roots.emplace_back(Root{name, {}});
}

// Lines of `name` or `name: field field`; several lines for one name add up.
Result<Roots> read_roots(const char* path) {
  std::ifstream file(path);
  if (!file) return std::unexpected(std::string("cannot read ") + path);
  Roots roots;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    if (!(words >> name)) continue;
    if (name.ends_with(':')) name.pop_back();
    Names& fields = named(roots, name).fields;
    fields.insert(fields.end(), std::istream_iterator<std::string>(words), {});
  }
  return roots;
}

// Ids by name. One name may stand for a struct and a typedef; an anonymous enum, which is how the
// kernel keeps its BPF flags, goes by the name of any of its values.
class Index {
 public:
  explicit Index(const btf& types) : types_(types) {
    for (__u32 id = 1; id < btf__type_cnt(&types); ++id) add(id);
  }

  std::vector<__u32> find(const std::string& name) const {
    if (const auto found = types_by_name_.find(name); found != types_by_name_.end())
      return found->second;
    if (const auto found = enums_by_value_.find(name); found != enums_by_value_.end())
      return {found->second};
    return {};
  }

 private:
  void add(__u32 id) {
    const btf_type& type = *btf__type_by_id(&types_, id);
    if (type.name_off == 0 && btf_is_any_enum(&type))
      add_values(id, type);
    else if (btf_is_composite(&type) || btf_is_any_enum(&type) || btf_is_typedef(&type))
      add_first(types_by_name_[name(type.name_off)], id);
  }

  // Two of one kind and name are private to two source files, or one is an alias spelled anew.
  void add_first(std::vector<__u32>& ids, __u32 id) {
    const auto kind = [&](__u32 other) { return btf_kind(btf__type_by_id(&types_, other)); };
    if (std::ranges::find(ids, kind(id), kind) == ids.end()) ids.push_back(id);
  }

  void add_values(__u32 id, const btf_type& type) {
    for (int i = 0; i < btf_vlen(&type); ++i) {
      const auto offset =
          btf_is_enum(&type) ? btf_enum(&type)[i].name_off : btf_enum64(&type)[i].name_off;
      enums_by_value_.emplace(name(offset), id);
    }
  }

  std::string name(__u32 offset) const { return btf__name_by_offset(&types_, offset); }

  const btf& types_;
  std::unordered_map<std::string, std::vector<__u32>> types_by_name_;
  std::unordered_map<std::string, __u32> enums_by_value_;
};

// Rewrites a struct so that it has only some of its fields, laid out anew and without gaps.
class Cut {
 public:
  Cut(const btf& types, btf_type& type) : types_(types), type_(type) {}

  Names to(const Names& fields) {  // returns those that the struct does not have
    Names missing;
    for (const std::string& field : fields) {
      if (!holds(type_, field)) missing.push_back(field);
    }
    const auto wanted = [&](const btf_member& member) {
      return std::ranges::any_of(fields, [&](const auto& field) { return is(member, field); });
    };
    const std::span all(btf_members(&type_), btf_vlen(&type_));
    const auto kept = std::stable_partition(all.begin(), all.end(), wanted) - all.begin();
    type_.info = (type_.info & ~0xffffU) | static_cast<__u32>(kept);
    lay_out(all.first(kept));
    return missing;
  }

 private:
  bool holds(const btf_type& type, const std::string& field) const {
    const std::span members(btf_members(&type), btf_vlen(&type));
    return std::ranges::any_of(members, [&](const auto& member) { return is(member, field); });
  }

  // An anonymous member is all the fields in it.
  bool is(const btf_member& member, const std::string& field) const {
    if (member.name_off != 0) return field == btf__name_by_offset(&types_, member.name_off);
    const btf_type& type = *btf__type_by_id(&types_, member.type);
    return btf_is_composite(&type) && holds(type, field);
  }

  void lay_out(std::span<btf_member> members) {
    __u32 end = 0;  // in bits
    __u32 alignment = 8;
    for (btf_member& member : members) {
      const __u32 aligned = 8 * btf__align_of(&types_, member.type);
      const __u32 size = 8 * btf__resolve_size(&types_, member.type);
      const __u32 bitfield = btf_kflag(&type_) ? BTF_MEMBER_BITFIELD_SIZE(member.offset) : 0;
      // A bitfield goes on where the last ended, unless it would straddle a unit of its type.
      if (!bitfield || end / size != (end + bitfield - 1) / size) end = round_up(end, aligned);
      member.offset = bitfield << 24 | end;
      end += bitfield ? bitfield : size;
      alignment = std::max(alignment, aligned);
    }
    type_.size = round_up(end, alignment) / 8;
  }

  static __u32 round_up(__u32 value, __u32 unit) { return (value + unit - 1) / unit * unit; }

  const btf& types_;
  btf_type& type_;
};

void append_formatted(void* text, const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  std::string piece(std::vsnprintf(nullptr, 0, format, again), '\0');
  va_end(again);
  std::vsnprintf(piece.data(), piece.size() + 1, format, arguments);
  static_cast<std::string*>(text)->append(piece);
}

// The names that do not exist. All cuts come before the first definition.
Names cut(btf& types, const Index& index, const Roots& roots) {
  Names missing;
  for (const auto& [name, fields] : roots) {
    const auto ids = index.find(name);
    if (ids.empty()) missing.push_back(name);
    if (fields.empty()) continue;
    for (const __u32 id : ids) {
      auto& type = const_cast<btf_type&>(*btf__type_by_id(&types, id));
      if (!btf_is_struct(&type)) continue;
      for (const std::string& field : Cut(types, type).to(fields))
        missing.push_back(name + '.' + field);
    }
  }
  return missing;
}

Result<std::string> define(const btf& types, const Index& index, const Roots& roots) {
  std::string text;
  const Dump dump(btf_dump__new(&types, append_formatted, &text, nullptr));
  if (!dump) return std::unexpected(std::string("cannot dump: ") + std::strerror(errno));
  for (const auto& [name, fields] : roots) {
    for (const __u32 id : index.find(name)) {
      if (const int error = btf_dump__dump_type(dump.get(), id))
        return std::unexpected("cannot dump " + name + ": " + std::strerror(-error));
    }
  }
  return text;
}

std::string wrapped(const Names& names) {
  constexpr std::size_t kColumns = 100;
  std::string text = " *";
  std::size_t column = text.size();
  for (const std::string& name : names) {
    if (column + 1 + name.size() > kColumns) {
      text += "\n *";
      column = 2;
    }
    text += ' ' + name;
    column += 1 + name.size();
  }
  return text + '\n';
}

std::string comment(std::string_view kernel, const Names& missing) {
  std::string text = "/* Generated from the BTF of Linux ";
  text.append(kernel).append(
      ": do not edit.\n"
      " * To add a type, add its name to tools/vmlinux/roots.txt and run "
      "tools/vmlinux/regenerate.");
  if (!missing.empty())
    text.append("\n * In the list, but not in this kernel:\n").append(wrapped(missing));
  return text.append(" */\n");
}

constexpr std::string_view kLicense = "/* SPDX-License-Identifier: GPL-2.0-only */\n";

constexpr std::string_view kOpening = R"(#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

)";

constexpr std::string_view kClosing = R"(#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
)";

// A copy, because libbpf may have mapped what it parsed read-only.
Result<Btf> parse(const char* path) {
  const Btf parsed(btf__parse(path, nullptr));
  if (!parsed) return std::unexpected(std::string(path) + ": " + std::strerror(errno));
  Btf types(btf__new_empty());
  if (!types || btf__add_btf(types.get(), parsed.get()) < 0)
    return std::unexpected(std::string("cannot copy the types: ") + std::strerror(errno));
  return types;
}

Result<std::string> trim(const char* btf_path, const char* roots_path, std::string_view kernel) {
  const auto types = parse(btf_path);
  if (!types) return std::unexpected(types.error());
  const auto roots = read_roots(roots_path);
  if (!roots) return std::unexpected(roots.error());
  const Index index(**types);
  const Names missing = cut(**types, index, *roots);
  const auto definitions = define(**types, index, *roots);
  if (!definitions) return std::unexpected(definitions.error());
  for (const std::string& name : missing)
    std::cerr << "trim: " << kernel << " has no " << name << '\n';
  return std::string(kLicense)
      .append(comment(kernel, missing))
      .append(kOpening)
      .append(*definitions)
      .append(kClosing);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: trim BTF ROOTS KERNEL\n  KERNEL is the name that the header gives.\n";
    return 2;
  }
  const auto text = trim(argv[1], argv[2], argv[3]);
  if (!text) {
    std::cerr << "trim: " << text.error() << '\n';
    return 1;
  }
  std::cout << *text << std::flush;
  return std::cout ? 0 : 1;
}
