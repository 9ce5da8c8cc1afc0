# What a person said: text with something in it.
package gates.lib.said

something(text) if {
	is_string(text)
	trim_space(text) != ""
}
