# The client, what makes and packs the messages, and their code.
find_program(TAPIO_PROTOC protoc REQUIRED)
set(proto ${dir}/otlp.proto)
set(wire ${CMAKE_CURRENT_BINARY_DIR}/otlp)
add_custom_command(
  OUTPUT ${wire}/otlp.pb.cc ${wire}/otlp.pb.h
  COMMAND ${CMAKE_COMMAND} -E make_directory ${wire}
  COMMAND ${TAPIO_PROTOC} --cpp_out=${wire} --proto_path=${dir} ${proto}
  DEPENDS ${proto})
add_library(otlp_wire STATIC ${wire}/otlp.pb.cc ${wire}/otlp.pb.h)
target_compile_options(otlp_wire PRIVATE -w)
target_include_directories(otlp_wire SYSTEM PUBLIC ${wire})
target_link_libraries(otlp_wire PUBLIC protobuf::libprotobuf-lite)
target_link_libraries(${target} PUBLIC otlp_wire tapio_net ZLIB::ZLIB)
foreach(test ${target}_test ${target}_kernel_test)
  if(TARGET ${test})
    target_link_libraries(${test} PRIVATE microhttpd) # of tests/http_receiver.hpp
  endif()
endforeach()
