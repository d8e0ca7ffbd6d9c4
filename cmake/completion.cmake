# tarn_completion_script(<target>): src/tools/completion/tarn.bash as a C++ header, so that the
# program can print it. The same file is installed as it is.
function(tarn_completion_script target)
  set(folder src/tools/completion)
  set(script ${PROJECT_SOURCE_DIR}/${folder}/tarn.bash)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
  file(READ ${script} TARN_BASH_COMPLETION)
  configure_file(${PROJECT_SOURCE_DIR}/${folder}/script.h.in
    ${PROJECT_BINARY_DIR}/generated/tools/completion/script.h @ONLY)
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/generated)
endfunction()
