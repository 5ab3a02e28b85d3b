Return-Path: <jiro@example.jp>
Delivered-To: news@tohaba.example
From: jiro@example.jp
To: news@tohaba.example
Subject: Vol.10の感想
Message-ID: <1004@example.jp>

いつも楽しく読んでいます。
