# Compiles through ccache when it is installed and nobody chose another launcher.
if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(TARN_CCACHE ccache)
  if(TARN_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${TARN_CCACHE})
  endif()
endif()
