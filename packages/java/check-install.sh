#!/usr/bin/env bash
# Checks that the installed package works in an empty project: five lines fetch a token from the emulator and verify it,
# on the class path, on the module path, and in a runtime image of jlink's.
# Run `mvn install` first, and set GATEPASS_PROGRAM to the `gatepass` program.
set -euo pipefail

: "${GATEPASS_PROGRAM:?set it to the gatepass program: cargo build -p gatepass-cli}"
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's|^  <version>\(.*\)</version>$|\1|p' "$here/pom.xml")
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

mkdir -p "$project/src/main/java/example"
cat > "$project/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>example</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>dev.gatepass</groupId>
      <artifactId>gatepass</artifactId>
      <version>$version</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-compiler-plugin</artifactId>
        <version>3.14.1</version>
      </plugin>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-dependency-plugin</artifactId>
        <version>3.8.1</version>
      </plugin>
    </plugins>
  </build>
</project>
POM

cat > "$project/src/main/java/example/Main.java" <<'JAVA'
package example;

public class Main {
    public static void main(String[] arguments) {
        String token = dev.gatepass.Gatepass.fetchIdToken("https://orders.example");
        var google = dev.gatepass.Verifier.builder().google().audience("https://orders.example");
        var verifier = google.keysUrl(java.net.URI.create(System.getenv("KEYS_URL"))).build();
        System.out.println("called by " + verifier.verify(token).email());
    }
}
JAVA

coproc EMULATOR { exec "$GATEPASS_PROGRAM" emulator --port 0 --exit-with-stdin; }
while read -r line <&"${EMULATOR[0]}"; do
  case $line in
    "export "*) export "${line#export }" ;;
    "# listening on "*) export KEYS_URL="${line#"# listening on "}/oauth2/v3/certs"; break ;;
  esac
done

expect() {
  local how=$1 said
  shift
  said=$("$@")
  echo "$how: $said"
  [[ $said == "called by default@emulator.iam.gserviceaccount.com" ]]
}

mvn -B -ntp -q -f "$project/pom.xml" compile dependency:copy-dependencies -DoutputDirectory="$project/lib" \
  -DincludeScope=runtime
expect "class path" java -cp "$project/target/classes:$project/lib/*" example.Main

# The compiler asks for no module that this one does not name, and takes no warning.
echo 'module example { requires dev.gatepass; }' > "$project/src/main/java/module-info.java"
javac -Xlint:all -Werror -d "$project/modules/example" --module-path "$project/lib" \
  "$project"/src/main/java/module-info.java "$project"/src/main/java/example/Main.java
expect "module path" java --module-path "$project/modules:$project/lib" --module example/example.Main

jlink --module-path "$project/modules:$project/lib" --add-modules example --output "$project/image"
expect "jlink" "$project/image/bin/java" --module example/example.Main
