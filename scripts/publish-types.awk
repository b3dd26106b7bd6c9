# SPDX-License-Identifier: GPL-2.0-only
#
# Reads preprocessed C and writes it again with every top-level type in use, so
# that the compiler describes all of them in the BTF: each struct, union, enum
# and simple typedef becomes a member of one union, and that the parameter of a
# function. Enums without a name get one, as they cannot be used otherwise.
#
# Relies on the headers' style: a top-level definition starts in column one and
# its opening brace is on the same line.

function publish(type)
{
	if (!(type in seen)) {
		seen[type] = 1
		types[nr++] = type
	}
}

/^enum[ \t]*\{/ {
	sub(/^enum[ \t]*/, "enum vrt_unnamed_" unnamed++ " ")
}

/^(struct|union|enum)[ \t]+[A-Za-z_][A-Za-z0-9_]*[ \t]*\{/ {
	publish($1 " " $2)
}

/^typedef [^(){}\[]*[ *][A-Za-z_][A-Za-z0-9_]*;[ \t]*$/ {
	name = $NF
	gsub(/[*;]/, "", name)
	publish(name)
}

/^typedef .*\(\*[A-Za-z_][A-Za-z0-9_]*\)\(/ {
	name = $0
	sub(/^[^(]*\(\*/, "", name)
	sub(/\).*/, "", name)
	publish(name)
}

{ print }

END {
	print "union vrt_published {"
	for (i = 0; i < nr; i++)
		print "\t" types[i] " _" i ";"
	print "};"
	print "void vrt_publish(union vrt_published *all) {}"
}
