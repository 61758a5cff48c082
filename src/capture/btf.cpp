// SPDX-License-Identifier: Apache-2.0
#include "capture/btf.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace tapio::capture {

namespace {

// Of types that only give another one a name or a qualifier; the kernel's longest has 4.
constexpr int kMaxChain = 32;
constexpr std::string_view kRaw =
    std::endian::native == std::endian::little ? "\x9f\xeb" : "\xeb\x9f";
constexpr std::string_view kElf = ELFMAG;
#if defined(__x86_64__)
constexpr auto kMachine = EM_X86_64;
#else
constexpr auto kMachine = EM_AARCH64;
#endif

// What people give instead, by how it begins.
struct Mistaken {
  std::string_view magic, what;
};
constexpr Mistaken kMistaken[] = {
    {"\x1f\x8b", "is packed with gzip: unpack it first"},
    {"\xfd\x37zXZ", "is packed with xz: unpack it first"},
    {"\x28\xb5\x2f\xfd", "is packed with zstd: unpack it first"},
    {"MZ", "is a packed kernel image (vmlinuz): take the vmlinux with debug information"},
};

std::unexpected<Error> bad(const std::string& path, std::string_view what) {
  return invalid(fmt::format("{}: {}", path, what));
}

struct Opened {
  Fd fd;
  std::uint64_t bytes;
  std::string head;  // its first bytes
};

// No device or pipe, which could block or never end.
Result<Opened> open_regular(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return bad(path, std::strerror(errno));
  struct stat status{};
  if (::fstat(fd.get(), &status) || !S_ISREG(status.st_mode))
    return bad(path, "is no regular file");
  if (status.st_mode & S_IWOTH)
    return bad(path, "anybody may write to it, and it says where programs read kernel memory");
  std::array<char, 8> head{};
  const auto got = ::pread(fd.get(), head.data(), head.size(), 0);
  if (got < 0) return bad(path, std::strerror(errno));
  return Opened{.fd = std::move(fd),
                .bytes = static_cast<std::uint64_t>(status.st_size),
                .head = {head.data(), static_cast<std::size_t>(got)}};
}

std::string_view why_neither(std::string_view head) {
  for (const auto& [magic, what] : kMistaken)
    if (head.starts_with(magic)) return what;
  return head.empty() ? "is empty" : "is neither BTF nor an ELF file with BTF";
}

std::optional<std::uint64_t> bytes_of_section(Elf* elf, std::string_view wanted) {
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf, &names)) return {};
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section));) {
    GElf_Shdr header{};
    if (!::gelf_getshdr(section, &header)) return {};
    const char* name = ::elf_strptr(elf, names, header.sh_name);
    if (name && wanted == name) return header.sh_size;
  }
  return {};
}

Status check_elf(const std::string& path, const Opened& file) {
  if (file.bytes > kMaxImageBytes) return bad(path, "is larger than 4 GiB");
  ::elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, Freed<elf_end>> elf(::elf_begin(file.fd.get(), ELF_C_READ, nullptr));
  GElf_Ehdr header{};
  if (!elf || !::gelf_getehdr(elf.get(), &header)) return bad(path, "is a damaged ELF file");
  if (header.e_machine != kMachine) return bad(path, "is of another architecture");
  const auto bytes = bytes_of_section(elf.get(), BTF_ELF_SEC);
  if (!bytes) return bad(path, "has no section .BTF: it was built without CONFIG_DEBUG_INFO_BTF");
  if (*bytes > kMaxBtfBytes) return bad(path, "has a section .BTF of more than 64 MiB");
  return {};
}

Status check_size(const std::string& path) {
  const auto file = TRY(open_regular(path));
  if (file.head.starts_with(kElf)) return check_elf(path, file);
  if (!file.head.starts_with(kRaw)) return bad(path, why_neither(file.head));
  if (file.bytes > kMaxBtfBytes) return bad(path, "is larger than 64 MiB, and so not of a kernel");
  return {};
}

bool is_alias(const btf_type* type) {
  return btf_is_mod(type) || btf_is_typedef(type);
}

// What a type names must be there: libbpf takes it for granted.
class Soundness {
 public:
  explicit Soundness(const btf& types) : types_(types), count_(btf__type_cnt(&types)) {}

  [[nodiscard]] bool all() const {
    for (__u32 id = 1; id < count_; ++id)
      if (!one(btf__type_by_id(&types_, id))) return false;
    return true;
  }

 private:
  [[nodiscard]] bool one(const btf_type* type) const {
    if (!type || !text(type->name_off)) return false;
    const auto parts = btf_vlen(type);
    switch (btf_kind(type)) {
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
        return each(btf_members(type), parts, [&](const btf_member& m) { return named(m); });
      case BTF_KIND_FUNC_PROTO:
        return there(type->type) &&
               each(btf_params(type), parts, [&](const btf_param& p) { return named(p); });
      case BTF_KIND_DATASEC:
        return each(btf_var_secinfos(type), parts,
                    [&](const btf_var_secinfo& v) { return there(v.type); });
      case BTF_KIND_ENUM:
        return each(btf_enum(type), parts, [&](const auto& e) { return text(e.name_off); });
      case BTF_KIND_ENUM64:
        return each(btf_enum64(type), parts, [&](const auto& e) { return text(e.name_off); });
      case BTF_KIND_ARRAY:
        return there(btf_array(type)->type) && there(btf_array(type)->index_type);
      case BTF_KIND_INT:
      case BTF_KIND_FLOAT:
      case BTF_KIND_FWD:
        return true;
      default:
        return there(type->type) && ends(type);
    }
  }

  static bool each(const auto* parts, std::size_t count, const auto& is_sound) {
    return std::ranges::all_of(std::span(parts, count), is_sound);
  }
  [[nodiscard]] bool named(const auto& part) const {
    return text(part.name_off) && there(part.type);
  }
  [[nodiscard]] bool text(__u32 offset) const { return btf__name_by_offset(&types_, offset); }
  [[nodiscard]] bool there(__u32 id) const { return id < count_; }
  // Not in a circle.
  [[nodiscard]] bool ends(const btf_type* type) const {
    for (int i = 0; type && is_alias(type); type = btf__type_by_id(&types_, type->type))
      if (++i > kMaxChain) return false;
    return true;
  }

  const btf& types_;
  __u32 count_;
};

Status check_fit(const std::string& path) {
  const auto types = TRY(open_btf(path));
  if (is_of_another_kernel(*types))
    return bad(path, "is of another kernel: programs would read the wrong fields by it");
  return {};
}

std::string why_not_own(const BtfPlaces& places) {
  errno = 0;
  const Types types(btf__parse(places.own.c_str(), nullptr));
  return types ? "" : fmt::format("{}: {}", places.own, std::strerror(errno));
}

}  // namespace

bool is_sound(const btf& types) {
  return Soundness(types).all();
}

Result<Types> open_btf(const std::string& path) {
  TRY(check_size(path));
  Types types(btf__parse(path.c_str(), nullptr));
  if (!types)
    return bad(path, fmt::format("is damaged, or cut off: no BTF can be read from it ({})",
                                 std::strerror(errno)));
  if (!is_sound(*types)) return bad(path, "is damaged: its types name some that are not there");
  if (btf__find_by_name_kind(types.get(), "task_struct", BTF_KIND_STRUCT) <= 0)
    return bad(path, "is not of a kernel: it has no struct task_struct");
  return types;
}

std::string_view name(Btf::From from) {
  switch (from) {
    case Btf::From::nowhere:
      return "nowhere";
    case Btf::From::kernel:
      return "kernel";
    case Btf::From::disk:
      return "disk";
    case Btf::From::setting:
      return "setting";
  }
  return "nowhere";
}

std::string describe(const Btf& btf) {
  return fmt::format("{}{}{}", btf.path.empty() ? "none" : btf.path,
                     btf.trouble.empty() ? "" : ", because ", btf.trouble);
}

BtfPlaces btf_places() {
  utsname running{};
  ::uname(&running);
  BtfPlaces places{.own = "/sys/kernel/btf/vmlinux", .disk = {}};
  for (const auto* pattern :
       {"/boot/vmlinux-{0}", "/lib/modules/{0}/vmlinux-{0}", "/lib/modules/{0}/build/vmlinux",
        "/usr/lib/modules/{0}/kernel/vmlinux", "/usr/lib/debug/boot/vmlinux-{0}",
        "/usr/lib/debug/boot/vmlinux-{0}.debug", "/usr/lib/debug/lib/modules/{0}/vmlinux"})
    places.disk.push_back(fmt::format(fmt::runtime(pattern), running.release));
  return places;
}

Btf find_btf(const std::string& setting, const BtfPlaces& places) {
  std::string trouble = why_not_own(places);
  if (trouble.empty()) return {.from = Btf::From::kernel, .path = places.own};
  if (!setting.empty()) {
    const auto fits = check_fit(setting);
    if (fits) return {.from = Btf::From::setting, .path = setting, .trouble = std::move(trouble)};
    trouble += "; btf.path: " + fits.error().what;
  }
  for (const auto& path : places.disk) {
    if (::access(path.c_str(), F_OK) != 0) continue;
    const auto fits = check_fit(path);
    if (fits) return {.from = Btf::From::disk, .path = path, .trouble = std::move(trouble)};
    trouble += "; " + fits.error().what;
  }
  return {.trouble = std::move(trouble)};
}

}  // namespace tapio::capture
