//! Paths that more than one module names.

/// Where a workload elsewhere asks for its subject token. Below the control API's root, yet no part of it: requests are
/// counted, and can be faulted.
pub(crate) const SUBJECT_TOKEN: &str = "/emulator/v1/subject-token";

/// Where an app of Azure Container Apps or App Service asks for its token.
pub(crate) const AZURE_APP: &str = "/msi/token";

const CONTROL: &str = "/emulator/";

/// Whether the path belongs to the control API.
pub(crate) fn is_control(path: &str) -> bool {
    path.starts_with(CONTROL) && path != SUBJECT_TOKEN
}
