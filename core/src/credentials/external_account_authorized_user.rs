//! `"type": "external_account_authorized_user"`: a person of a workforce pool, by a refresh token (AIP-4117).

use std::sync::Arc;

use crate::credentials::authorized_user::UserAccount;
use crate::credentials::endpoints::Service;
use crate::credentials::fields::Fields;
use crate::credentials::{Credential, Reader};
use crate::error::Error;

/// Reads a file of this type.
pub(super) fn read(fields: Fields<'_>, reader: &Reader<'_>) -> Result<Arc<dyn Credential>, Error> {
    let trusted = reader.trusted;
    let default = format!("https://sts.{}/v1/oauthtoken", trusted.universe_of(fields)?);
    let token_url = trusted.field(fields, "token_url", Service::StsLogin, Some(&default))?;
    Ok(Arc::new(UserAccount::from_fields(fields, token_url, true)?))
}
