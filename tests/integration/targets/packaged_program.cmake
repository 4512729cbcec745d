# packaged_program(NAME PACKAGE LIBRARY PROGRAMS): the program NAME of NAME.cc, which needs PACKAGE, as
# pkg-config calls it, and LIBRARY. It is added to the list PROGRAMS. Nothing if PACKAGE is absent.
find_package(PkgConfig REQUIRED)
function(packaged_program name package library programs)
  pkg_check_modules(PACKAGE_OF_${name} IMPORTED_TARGET ${package})
  if(NOT PACKAGE_OF_${name}_FOUND)
    return()
  endif()
  add_executable(${name} ${name}.cc)
  target_link_libraries(${name} PRIVATE ${library} PkgConfig::PACKAGE_OF_${name})
  set(${programs} ${${programs}} ${name} PARENT_SCOPE)
endfunction()
