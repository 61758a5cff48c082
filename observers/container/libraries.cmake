# Where the test finds what was recorded of real ramps.
if(TARGET ${target}_test)
  target_compile_definitions(${target}_test PRIVATE TAPIO_RAMPS="${dir}/testdata/ramps")
endif()
