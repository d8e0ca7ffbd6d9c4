# PicklingTools' interface over ours: library tarn_picklingtools, its headers, and their tests. The
# library is C++20 as everything here; the headers are for C++17 and C++20.

# The library that programs link: tarn::picklingtools.
function(tarn_picklingtools)
  set(folder ${PROJECT_SOURCE_DIR}/compat/picklingtools)
  tarn_glob(compat/picklingtools/src found)
  if(NOT found_sources OR NOT TARGET tarn)
    return()
  endif()
  add_library(tarn_picklingtools ${found_sources})
  add_library(tarn::picklingtools ALIAS tarn_picklingtools)
  target_include_directories(tarn_picklingtools PUBLIC
    $<BUILD_INTERFACE:${folder}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/picklingtools>)
  target_include_directories(tarn_picklingtools PRIVATE ${folder}/src)
  # Private, so that programs are not compiled as tarn's own users are.
  target_link_libraries(tarn_picklingtools PRIVATE
    tarn::tarn Threads::Threads $<BUILD_INTERFACE:Boost::headers>)
  set_target_properties(tarn_picklingtools PROPERTIES
    EXPORT_NAME picklingtools
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  tarn_target(tarn_picklingtools)
  add_dependencies(programs tarn_picklingtools)
  install(TARGETS tarn_picklingtools EXPORT tarn-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${folder}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/picklingtools)
endfunction()

# compat/picklingtools/tests/x_test.cc: one program, without a node. What needs one stands in
# tests/e2e/picklingtools.
function(tarn_picklingtools_tests)
  if(TARGET tarn_picklingtools AND unit IN_LIST TARN_TEST_KINDS)
    file(GLOB files CONFIGURE_DEPENDS
      ${PROJECT_SOURCE_DIR}/compat/picklingtools/tests/*_test.cc)
    tarn_gtest(tarn_picklingtools_tests unit SOURCES ${files} LIBRARIES tarn_picklingtools)
  endif()
endfunction()
