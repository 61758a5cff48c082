# The client, and what makes and reads the messages of gRPC.
find_program(TAPIO_PROTOC protoc REQUIRED)
set(proto ${dir}/cri.proto)
set(wire ${CMAKE_CURRENT_BINARY_DIR}/cri)
add_custom_command(
  OUTPUT ${wire}/cri.pb.cc ${wire}/cri.pb.h
  COMMAND ${CMAKE_COMMAND} -E make_directory ${wire}
  COMMAND ${TAPIO_PROTOC} --cpp_out=${wire} --proto_path=${dir} ${proto}
  DEPENDS ${proto})
add_library(cri_wire STATIC ${wire}/cri.pb.cc ${wire}/cri.pb.h)
target_compile_options(cri_wire PRIVATE -w)
target_include_directories(cri_wire SYSTEM PUBLIC ${wire})
target_link_libraries(cri_wire PUBLIC protobuf::libprotobuf-lite)
target_link_libraries(${target} PUBLIC cri_wire tapio_net)
