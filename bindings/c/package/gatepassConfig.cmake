# gatepass::gatepass is the shared library, gatepass::static the static one.
get_filename_component(gatepass_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET gatepass::gatepass)
  add_library(gatepass::gatepass SHARED IMPORTED)
  set_target_properties(gatepass::gatepass PROPERTIES
    IMPORTED_LOCATION "${gatepass_prefix}/lib/libgatepass${CMAKE_SHARED_LIBRARY_SUFFIX}"
    INTERFACE_INCLUDE_DIRECTORIES "${gatepass_prefix}/include")
  if(WIN32)
    set_target_properties(gatepass::gatepass PROPERTIES
      IMPORTED_LOCATION "${gatepass_prefix}/bin/gatepass.dll"
      IMPORTED_IMPLIB "${gatepass_prefix}/lib/libgatepass.dll.a")
  endif()
  add_library(gatepass::static STATIC IMPORTED)
  set_target_properties(gatepass::static PROPERTIES
    IMPORTED_LOCATION "${gatepass_prefix}/lib/libgatepass.a"
    INTERFACE_LINK_LIBRARIES "@LIBS@"
    INTERFACE_INCLUDE_DIRECTORIES "${gatepass_prefix}/include")
endif()
