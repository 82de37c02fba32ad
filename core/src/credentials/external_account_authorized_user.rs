//! `"type": "external_account_authorized_user"`: a person of a workforce pool, by a refresh token (AIP-4117).

use crate::credentials::Fields;
use crate::credentials::authorized_user::UserAccount;
use crate::credentials::trust::TrustedEndpoints;
use crate::error::Error;

/// Reads a file of this type.
pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<UserAccount, Error> {
    let default = format!("https://sts.{}/v1/oauthtoken", trusted.universe_of(fields)?);
    UserAccount::read(fields, trusted.field(fields, "token_url", Some(&default))?, true)
}
