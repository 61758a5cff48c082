# The page of ui/ becomes a part of `target`, as one string. Without TAPIO_UI it says that there is none.
function(tapio_ui target)
  set(ui ${PROJECT_SOURCE_DIR}/ui)
  set(page ${ui}/without.html)
  if(TAPIO_UI)
    find_program(TAPIO_NPM npm REQUIRED)
    set(page ${PROJECT_BINARY_DIR}/ui/index.html)
    set(packages ${ui}/node_modules/.package-lock.json)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${ui}/src/*)
    add_custom_command(
      OUTPUT ${packages}
      DEPENDS ${ui}/package.json ${ui}/package-lock.json
      COMMAND ${TAPIO_NPM} ci --no-progress
      COMMAND ${CMAKE_COMMAND} -E touch ${packages}
      WORKING_DIRECTORY ${ui}
      COMMENT "Packages of the page; -DTAPIO_UI=OFF does without"
      VERBATIM)
    add_custom_command(
      OUTPUT ${page}
      DEPENDS ${packages} ${sources} ${ui}/index.html ${ui}/tsconfig.json ${ui}/vite.config.ts
      COMMAND ${TAPIO_NPM} run build -- --outDir ${PROJECT_BINARY_DIR}/ui --emptyOutDir
      COMMAND ${CMAKE_COMMAND} -E touch ${page}
      WORKING_DIRECTORY ${ui}
      COMMENT "The page"
      VERBATIM)
  endif()
  set(embedded ${PROJECT_BINARY_DIR}/generated/ui_page.cpp)
  add_custom_command(
    OUTPUT ${embedded}
    DEPENDS ${page} ${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake
    COMMAND ${CMAKE_COMMAND} -D page=${page} -D into=${embedded} -P ${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${embedded})
endfunction()
