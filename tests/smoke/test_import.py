"""`cargo xtask import`: what it counts and estimates. Needs no stack and no network."""

import random
import unittest
import uuid

import import_bucket
from import_bucket import Counted, is_picture, is_video, message, new_job_id, source


def item(key, size=5):
    """An object as S3 lists it."""
    return {"Key": key, "Size": size}


class ImportTest(unittest.TestCase):
    def test_a_uri_names_a_bucket_and_a_prefix(self):
        self.assertEqual(source("s3://holidays"), ("holidays", ""))
        self.assertEqual(source("s3://holidays/"), ("holidays", ""))
        self.assertEqual(source("s3://holidays/2019/a b+c"), ("holidays", "2019/a b+c"))
        for bad in ("holidays/2019", "s3://", "s3://UPPER/", "https://holidays", "s3://a/"):
            with self.assertRaises(SystemExit, msg=bad) as ended:
                source(bad)
            self.assertIn("s3://bucket/2019/", str(ended.exception))

    def test_the_estimate_of_a_million_objects_keeps_a_small_sample_of_all_of_them(self):
        found = Counted(random.Random(1))
        for number in range(100_000):
            found.add(item(str(number)))
        found.add(item("folder/", 0))
        self.assertEqual((found.objects, found.with_content), (100_001, 100_000))
        self.assertEqual(len(found.sample), import_bucket.SAMPLE)
        late = sum(int(sampled["Key"]) >= 50_000 for sampled in found.sample)
        self.assertTrue(60 < late < 140, "the sample is of the beginning or the end of the listing")
        for number, sampled in enumerate(found.sample):
            found.look(sampled, b"\x89PNG\r\n\x1a\n" if number % 4 else b"text")
        self.assertEqual(found.pictures(), 75_000)
        self.assertEqual(found.picture_bytes(), 5)

    def test_samples_that_cannot_be_read_do_not_make_an_import_look_cheap(self):
        found = Counted()
        for number in range(100):
            found.add(item(str(number)))
        for number, sampled in enumerate(found.sample):
            found.look(sampled, None if number % 2 else b"\x89PNG\r\n\x1a\n")
        self.assertEqual((found.unreadable, found.pictures()), (50, 100))

    def test_a_prefix_without_a_picture_costs_nothing(self):
        found = Counted()
        found.add(item("folder/", 0))
        self.assertEqual((found.pictures(), found.picture_bytes()), (0, 0))

    def test_pictures_and_videos_are_recognized_by_their_first_bytes(self):
        for picture in (b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic\0\0\0\0mif1"):
            self.assertTrue(is_picture(picture), picture)
        for other in (b"", b"%PDF-1.7", b"\0\0\0\x18ftypisom\0\0\0\0isommp41", b"RIFF\0\0\0\0WAVEfmt "):
            self.assertFalse(is_picture(other), other)
        for video in (b"\0\0\0\x18ftypqt  \0\0\0\0qt  ", b"\0\0\0\x08wide\0\0\0\0mdat", b"\x1aE\xdf\xa3\x9fB\x86\x81"):
            self.assertTrue(is_video(video) and not is_picture(video), video)
        for other in (b"", b"%PDF-1.7", b"RIFF\0\0\0\0AVI LIST"):
            self.assertFalse(is_video(other), other)

    def test_the_videos_among_the_objects_are_estimated(self):
        found = Counted()
        for number in range(4):
            found.add(item(str(number)))
        for number, sampled in enumerate(found.sample):
            found.look(sampled, b"\x1aE\xdf\xa3" if number else b"\x89PNG\r\n\x1a\n")
        self.assertEqual((found.pictures(), found.videos()), (1, 3))

    def test_the_id_of_a_job_is_one_that_the_api_reads(self):
        first, second = new_job_id(), new_job_id()
        self.assertNotEqual(first, second)
        self.assertEqual((uuid.UUID(first).version, uuid.UUID(first).variant), (7, uuid.RFC_4122))

    def test_the_reason_of_a_failed_execution_is_the_message_of_its_step(self):
        self.assertEqual(message('{"errorType": "InvalidSource", "errorMessage": "no bucket"}'), "no bucket")
        self.assertEqual(message("States.Timeout"), "States.Timeout")


if __name__ == "__main__":
    unittest.main()
