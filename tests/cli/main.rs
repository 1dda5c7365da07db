//! The built program: its output, its exit codes and the files it creates.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod acknowledge;
mod agents;
mod answers;
mod asks;
mod background;
mod closed_in;
mod configuration;
mod daemon;
mod descriptors;
mod discord;
mod doctor;
mod events;
mod failover;
mod groups;
mod home;
mod jobs;
mod lasting;
mod lifecycle;
mod linked;
mod model;
mod newcomer;
mod offline;
mod onboard;
mod program;
mod relay;
mod reload;
mod secrets;
mod shown;
mod slack;
mod start;
mod storage;
mod strangers;
mod summary;
mod tasks;
mod telegram;
mod terminal;
mod tmux;
mod tokens;
mod tools;
mod tui;
mod voice;
mod webhook;
mod workspaces;
