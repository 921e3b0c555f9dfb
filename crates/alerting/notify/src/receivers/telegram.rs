//! Telegram, by a bot.

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `telegram_configs`.
    pub struct TelegramConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_url: String,
        bot_token: Secret,
        bot_token_file: String,
        chat_id: i64,
        chat_id_file: String,
        message_thread_id: i64,
        message: String,
        disable_notifications: bool,
        parse_mode: String,
    }
}

impl Entry for TelegramConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.api_url.as_deref())?;
        let (token, file) = (self.bot_token.is_set(), self.bot_token_file.is_set());
        at_most_one(token, file, "bot_token")?;
        let (chat, chat_file) = (self.chat_id.is_some_and(|chat| chat != 0), self.chat_id_file.is_set());
        refuse_if(!chat && !chat_file, "missing chat_id or chat_id_file on telegram_config")?;
        at_most_one(chat, chat_file, "chat_id")?;
        refuse_if(
            !matches!(self.parse_mode.as_deref(), None | Some("" | "Markdown" | "MarkdownV2" | "HTML")),
            "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string",
        )?;
        let global = global.telegram_bot_token.is_set() || global.telegram_bot_token_file.is_set();
        refuse_if(!token && !file && !global, "missing bot_token or bot_token_file on telegram_config")
    }
}
