# One BPF object for every kernel and architecture. Both architectures are compiled always, so that
# arm64 cannot break unseen; the skeleton is of the architecture that is built for.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(TAPIO_ARCH arm64)
else()
  set(TAPIO_ARCH x86)
endif()
set(TAPIO_BPF_FLAGS -target bpf -mcpu=v3 -std=gnu11 -g -O2 -Wall -Wextra -Wpadded -Werror
                    -Wno-unused-parameter -Wno-missing-field-initializers)

function(tapio_bpf_object out source arch)
  get_filename_component(name ${source} NAME_WE)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.${arch}.bpf.o)
  add_custom_command(
    OUTPUT ${object}
    DEPENDS ${source}
    DEPFILE ${object}.d
    COMMAND ${TAPIO_CLANG} ${TAPIO_BPF_FLAGS} -D__TARGET_ARCH_${arch} -I${PROJECT_SOURCE_DIR}/src
            -isystem ${PROJECT_SOURCE_DIR}/src/bpf/vmlinux/${arch} -MD -MF ${object}.d -c ${source}
            -o ${object}
    COMMENT "BPF ${name} (${arch})"
    VERBATIM)
  set(${out} ${object} PARENT_SCOPE)
endfunction()

# The target's sources may include <name>.skel.h.
function(tapio_skeleton target source)
  get_filename_component(name ${source} NAME_WE)
  foreach(arch x86 arm64)
    tapio_bpf_object(object_${arch} ${source} ${arch})
  endforeach()
  set(skeletons ${CMAKE_CURRENT_BINARY_DIR}/skeletons)
  set(skeleton ${skeletons}/${name}.skel.h)
  file(MAKE_DIRECTORY ${skeletons})
  add_custom_command(
    OUTPUT ${skeleton}
    DEPENDS ${object_${TAPIO_ARCH}}
    COMMAND ${TAPIO_BPFTOOL} gen skeleton ${object_${TAPIO_ARCH}} name ${name}_bpf > ${skeleton}
    VERBATIM)
  # Made with the target and not linked into it, as a program would.
  set_source_files_properties(${object_x86} ${object_arm64} PROPERTIES HEADER_FILE_ONLY ON)
  target_sources(${target} PRIVATE ${skeleton} ${object_x86} ${object_arm64})
  target_include_directories(${target} SYSTEM PUBLIC ${skeletons})
endfunction()
