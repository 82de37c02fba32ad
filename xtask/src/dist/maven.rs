//! Maven: a repository with the jar, its sources and documentation, the POMs and the BOM.

use super::dependencies::Dependencies;
use super::platform::PLATFORMS;
use super::workshop::{THIRD_PARTY, Workshop, copy, write};
use crate::failure::Result;

/// What follows upon the package itself, of each module.
const GOALS: &[&str] = &[
    "org.apache.maven.plugins:maven-source-plugin:3.3.1:jar-no-fork",
    "org.apache.maven.plugins:maven-javadoc-plugin:3.12.0:jar",
    "org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy",
];

/// Gives the repository's lists of versions the time of the commit in place of that of the deployment, and the checksums that
/// follow.
const DATE: &str = r#"
import hashlib, re, sys, time
from pathlib import Path
epoch, repository = sys.argv[1:]
date = time.strftime("%Y%m%d%H%M%S", time.gmtime(int(epoch)))
for file in Path(repository).rglob("maven-metadata.xml"):
    text, count = re.subn(r"<lastUpdated>\d+<", f"<lastUpdated>{date}<", file.read_text())
    assert count == 1, file
    file.write_text(text)
    for name in ("md5", "sha1", "sha256", "sha512"):
        checksum = file.with_name(f"{file.name}.{name}")
        if checksum.exists():
            checksum.write_text(hashlib.new(name, text.encode()).hexdigest())
"#;

/// Has Maven deploy into a folder, with the native code of all platforms that there is.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    let dependencies = Dependencies::of(workshop, "gatepass-jni")?;
    let natives = workshop.scratch("natives")?;
    for platform in PLATFORMS {
        let file = platform.shared_library("gatepass_jni");
        if let Some(library) = workshop.native(platform, &file) {
            copy(&library, &natives.join(platform.jar).join(file))?;
        }
    }
    // Beside the libraries: of all that is in the jar, they alone hold something of others'.
    write(&natives.join(THIRD_PARTY), dependencies.notice()?)?;

    let folder = workshop.scratch("maven")?;
    workshop.copy_folder("packages/java", &folder.join("packages/java"))?;
    copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;
    let maven = workshop.program("mvn").in_folder(folder.join("packages/java"));
    let maven = maven.args(&["--batch-mode", "--no-transfer-progress"]);
    // The native code is there already; what is made here is for the repository in target/dist alone.
    let maven = maven.args(&[
        "-DskipTests",
        "-Dmaven.source.excludeResources",
        "-Dmaven.test.skip",
        "-Dmaven.antrun.skip",
        "-Dmaven.install.skip",
    ]);
    let maven = maven.arg(format!("-Dnatives.directory={}", natives.display()));
    let repository = workshop.dist("maven");
    let maven = maven.arg(format!("-DaltDeploymentRepository=dist::file://{}", repository.display()));
    workshop.run(&maven.arg("package").args(GOALS))?;
    let date = workshop.program("python3").args(&["-c", DATE, &workshop.epoch]).arg(&repository);
    workshop.run(&date)?;
    dependencies.write_bill(workshop, "maven", "gatepass-jni")
}
