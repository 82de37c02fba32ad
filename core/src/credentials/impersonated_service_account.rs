//! `"type": "impersonated_service_account"`: a service account, by credentials in the same file that may act as it.

use std::sync::Arc;

use crate::credentials::email::is_delegate;
use crate::credentials::fields::{Fields, invalid};
use crate::credentials::impersonation::{Account, DEFAULT_LIFETIME_SECONDS, Impersonated};
use crate::credentials::{Credential, Reader};
use crate::error::Error;

/// Reads a file of this type.
pub(super) fn read(fields: Fields<'_>, reader: &Reader<'_>) -> Result<Arc<dyn Credential>, Error> {
    reader.trusted.universe_of(fields)?;
    let delegates = fields.strings("delegates")?;
    if !delegates.iter().all(|delegate| is_delegate(delegate)) {
        return Err(invalid("delegates", "a list that contains a non-e-mail", "e-mails of service accounts"));
    }
    let url = fields.required("service_account_impersonation_url")?;
    let account = Account::from_url(url, delegates, DEFAULT_LIFETIME_SECONDS, reader.trusted)?;
    Ok(Arc::new(Impersonated { source: reader.read_source(fields)?, account: Arc::new(account) }))
}
