Return-Path: <hanako@example.jp>
Delivered-To: news@tohaba.example
From: hanako@example.jp
To: news@tohaba.example
Subject: =?ISO-2022-JP?B?GyRCMnI9fBsoQg==?=
Message-ID: <1003@example.jp>

