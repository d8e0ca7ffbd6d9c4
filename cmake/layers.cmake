# Layers: one folder below src/, one static library, one test program, one benchmark program.

# Sorts the C++ files below `folder` by their names' endings into <out>_sources, <out>_mains,
# <out>_tests and <out>_benches. A missing folder gives empty lists; new files are noticed.
function(tarn_glob folder out)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
  set(sources ${files})
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|/main)\\.cc$")
  set(mains ${files})
  list(FILTER mains INCLUDE REGEX "/main\\.cc$")
  set(tests ${files})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benches ${files})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  foreach(kind sources mains tests benches)
    set(${out}_${kind} "${${kind}}" PARENT_SCOPE)
  endforeach()
endfunction()

# What holds for every target of ours, whatever it is.
function(tarn_target target)
  tarn_warnings(${target})
  target_compile_definitions(${target} PRIVATE
    _GNU_SOURCE $<$<BOOL:${TARN_CRASH_POINTS}>:TARN_CRASH_POINTS=1>)
  # __FILE__ in messages is a path inside the project, not one of the machine that compiled it.
  # Only in what is installed: elsewhere it would keep compilers' caches from serving two checkouts.
  target_compile_options(${target} PRIVATE
    $<$<CONFIG:Release>:-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=>)
  if(BUILD_SHARED_LIBS)
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  endif()
endfunction()

# tarn_layer(<name> [LAYERS <layer>...] [LIBRARIES <target>...]): library tarn_<name> from
# src/<name>/. A folder without sources gives an interface library, so that others may name it.
function(tarn_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LAYERS;LIBRARIES")
  list(TRANSFORM arg_LAYERS PREPEND tarn_)
  tarn_glob(src/${name} found)
  set(scope PUBLIC)
  if(found_sources)
    add_library(tarn_${name} STATIC ${found_sources})
    target_link_libraries(tarn_${name} PRIVATE ${arg_LIBRARIES})
    tarn_target(tarn_${name})
  else()
    add_library(tarn_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(tarn_${name} ${scope}
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(tarn_${name} ${scope} ${arg_LAYERS})
  set_property(GLOBAL APPEND PROPERTY TARN_LAYERS ${name})
endfunction()

# The library that users link, tarn::tarn, out of the objects of the named layers.
function(tarn_public_library)
  set(objects)
  foreach(layer IN LISTS ARGN)
    get_target_property(type tarn_${layer} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      list(APPEND objects $<TARGET_OBJECTS:tarn_${layer}>)
    endif()
  endforeach()
  if(NOT objects)
    message(STATUS "tarn: no library sources, so no library")
    return()
  endif()
  add_library(tarn ${objects})
  add_library(tarn::tarn ALIAS tarn)
  target_compile_features(tarn PUBLIC cxx_std_20)
  target_include_directories(tarn PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(tarn PRIVATE spdlog::spdlog fmt::fmt Threads::Threads)
  set_target_properties(tarn PROPERTIES
    LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  add_dependencies(programs tarn)
endfunction()
