#!/usr/bin/env bash
# Checks that the installed package works in an empty project: five lines fetch a token from the emulator and verify it.
# Run `mvn install` first, and set GATEPASS_CLI to the `gatepass` program.
set -euo pipefail

: "${GATEPASS_CLI:?set it to the gatepass program: cargo build -p gatepass-cli}"
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's|^  <version>\(.*\)</version>$|\1|p' "$here/pom.xml")
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
mkdir -p "$project/src/main/java"

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
        <groupId>org.codehaus.mojo</groupId>
        <artifactId>exec-maven-plugin</artifactId>
        <version>3.6.2</version>
        <configuration>
          <mainClass>Main</mainClass>
        </configuration>
      </plugin>
    </plugins>
  </build>
</project>
POM

cat > "$project/src/main/java/Main.java" <<'JAVA'
class Main {
    public static void main(String[] arguments) {
        String token = dev.gatepass.Gatepass.fetchIdToken("https://orders.example");
        var google = dev.gatepass.Verifier.builder().google().audience("https://orders.example");
        var verifier = google.keysUrl(java.net.URI.create(System.getenv("KEYS_URL"))).build();
        System.out.println("called by " + verifier.verify(token).email());
    }
}
JAVA

coproc EMULATOR { exec "$GATEPASS_CLI" emulator --port 0 --exit-with-stdin; }
while read -r line <&"${EMULATOR[0]}"; do
  case $line in
    "export "*) export "${line#export }" ;;
    "# listening on "*) export KEYS_URL="${line#"# listening on "}/oauth2/v3/certs"; break ;;
  esac
done

said=$(mvn -B -ntp -q -f "$project/pom.xml" compile exec:java)
echo "$said"
[[ $said == *"called by default@emulator.iam.gserviceaccount.com"* ]]
