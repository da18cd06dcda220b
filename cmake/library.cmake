# vml_library(NAME LIBS…): the sources of this folder as one static library. A folder without sources yet is left out.
function(vml_library name)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
    if(sources)
        add_library(vml_${name} STATIC ${sources})
        target_link_libraries(vml_${name} PUBLIC vml_options ${ARGN})
    endif()
endfunction()
