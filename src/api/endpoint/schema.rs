//! The published description of the interface. It is the same for every gateway of a version and contains no secret, so it needs
//! no token: programs that generate clients can read it.

use axum::http::header;
use axum::response::IntoResponse;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, body = Value)))]
pub(crate) async fn openapi(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    Ok(json(include_str!("../../../schema/openapi.json")))
}

/// The frames of the WebSocket as JSON Schema.
#[utoipa::path(get, path = "/api/frames.json", responses((status = 200, body = Value)))]
pub(crate) async fn frames(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    Ok(json(include_str!("../../../schema/frames.schema.json")))
}

fn json(text: &'static str) -> ApiResponse {
    ApiResponse::Other(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
