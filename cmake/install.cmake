# What `cmake --install` lays out: library, headers, CMake package, pkg-config file, completion,
# documents. The programs install themselves (programs.cmake).
include(CMakePackageConfigHelpers)

if(TARGET tarn)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tarn)
  install(TARGETS tarn EXPORT tarn-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT tarn-targets NAMESPACE tarn:: DESTINATION ${package_dir})
  configure_package_config_file(
    ${CMAKE_CURRENT_LIST_DIR}/tarn-config.cmake.in ${PROJECT_BINARY_DIR}/tarn-config.cmake
    INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/tarn-config-version.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES
    ${PROJECT_BINARY_DIR}/tarn-config.cmake ${PROJECT_BINARY_DIR}/tarn-config-version.cmake
    DESTINATION ${package_dir})

  # Whoever links the static library must also link what it uses, whether or not `--static` is
  # asked for; the shared library brings that along by itself.
  set(pc_dependencies "-lspdlog -lfmt -pthread")
  if(BUILD_SHARED_LIBS)
    set(pc_libs "-ltarn")
    set(pc_libs_private "${pc_dependencies}")
    set(pc_requires "Requires.private")
  else()
    set(pc_libs "-ltarn ${pc_dependencies}")
    set(pc_libs_private "")
    set(pc_requires "Requires")
  endif()
  # The prefix is found from the file's own place, so that an installed tree can be moved.
  set(pc_to_prefix ${CMAKE_INSTALL_PREFIX})
  cmake_path(RELATIVE_PATH pc_to_prefix BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
  foreach(library tarn tarn_picklingtools)
    if(TARGET ${library})
      configure_file(
        ${CMAKE_CURRENT_LIST_DIR}/${library}.pc.in ${PROJECT_BINARY_DIR}/${library}.pc @ONLY)
      install(FILES ${PROJECT_BINARY_DIR}/${library}.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    endif()
  endforeach()
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tarn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  OPTIONAL FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES ${PROJECT_SOURCE_DIR}/src/tools/completion/tarn.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME tarn OPTIONAL)
foreach(document README.md CHANGELOG.md LICENSE)
  install(FILES ${PROJECT_SOURCE_DIR}/${document} DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

# Units of systemd: one template for each account's own nodes, one for the machine's.
foreach(scope user system)
  foreach(what service socket)
    set(template ${scope}-tarn@.${what})
    if(what STREQUAL "service")
      configure_file(${PROJECT_SOURCE_DIR}/dist/systemd/${template}.in ${PROJECT_BINARY_DIR}/${template} @ONLY)
      set(template_file ${PROJECT_BINARY_DIR}/${template})
    else()
      set(template_file ${PROJECT_SOURCE_DIR}/dist/systemd/${template})
    endif()
    install(FILES ${template_file} DESTINATION lib/systemd/${scope} RENAME tarn@.${what})
  endforeach()
endforeach()
