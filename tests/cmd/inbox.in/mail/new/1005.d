Return-Path: <jiro@example.jp>
Delivered-To: news@tohaba.example
From: jiro@example.jp
To: news@tohaba.example
Subject: Re: Vol.10
Message-ID: <1005@example.jp>
Auto-Submitted: auto-replied

I am away.
